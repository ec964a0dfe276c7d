/**
 * The page is static files: node/app/dist. Addresses within the page are behind the # (router.ts), paths belong to the
 * HTTP interface, so in development everything that is no module goes on to a running server:
 *   MEDIADB_APP=http://127.0.0.1:8420 npm run dev
 */
import { defineConfig } from 'vite';

const server = process.env.MEDIADB_APP;

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the server's Content-Security-Policy has no data: for scripts and styles
  },
  server: server
    ? { proxy: { '^/(?!(src|@|node_modules|index\\.html|early\\.js|icon)).+': { target: server, changeOrigin: true } } }
    : {},
});
