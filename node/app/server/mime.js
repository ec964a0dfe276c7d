/** Types of what is sent (RFC 6838, as IANA registers them), and what a browser may show in place. */

const TYPES = /** @type {Record<string, string>} */ ({
  mp3: 'audio/mpeg', flac: 'audio/flac', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', vorbis: 'audio/ogg', m4a: 'audio/mp4', m4b: 'audio/mp4',
  aac: 'audio/aac', adts: 'audio/aac', wav: 'audio/wav', wave: 'audio/wav', aiff: 'audio/aiff', aif: 'audio/aiff', wma: 'audio/x-ms-wma', ape: 'audio/x-ape',
  wv: 'audio/x-wavpack', mpc: 'audio/x-musepack', dsf: 'audio/x-dsf', mid: 'audio/midi', midi: 'audio/midi', mka: 'audio/x-matroska',
  ac3: 'audio/ac3', dts: 'audio/vnd.dts', amr: 'audio/AMR', spx: 'audio/ogg', tta: 'audio/x-tta', tak: 'audio/x-tak', au: 'audio/basic',
  mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/quicktime', quicktime: 'video/quicktime', mkv: 'video/x-matroska', matroska: 'video/x-matroska', webm: 'video/webm', avi: 'video/x-msvideo',
  wmv: 'video/x-ms-wmv', asf: 'video/x-ms-asf', flv: 'video/x-flv', mpg: 'video/mpeg', mpeg: 'video/mpeg', ts: 'video/mp2t', m2ts: 'video/mp2t', mts: 'video/mp2t', ogv: 'video/ogg',
  '3gp': 'video/3gpp', vob: 'video/mpeg',
  jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp', tif: 'image/tiff', tiff: 'image/tiff',
  heic: 'image/heic', heif: 'image/heif', jxl: 'image/jxl', ico: 'image/vnd.microsoft.icon', svg: 'image/svg+xml', dng: 'image/x-adobe-dng', cr2: 'image/x-canon-cr2', cr3: 'image/x-canon-cr3',
  nef: 'image/x-nikon-nef', arw: 'image/x-sony-arw', raf: 'image/x-fuji-raf', orf: 'image/x-olympus-orf', rw2: 'image/x-panasonic-rw2', psd: 'image/vnd.adobe.photoshop',
  pdf: 'application/pdf', epub: 'application/epub+zip', zip: 'application/zip', html: 'text/html', htm: 'text/html', xhtml: 'application/xhtml+xml', xml: 'application/xml', txt: 'text/plain',
  log: 'text/plain', cue: 'text/plain', nfo: 'text/plain', lrc: 'text/plain', srt: 'text/plain', vtt: 'text/vtt', md: 'text/plain', csv: 'text/plain', m3u: 'audio/x-mpegurl', m3u8: 'application/vnd.apple.mpegurl',
  doc: 'application/msword', docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', odt: 'application/vnd.oasis.opendocument.text',
  json: 'application/json', xmp: 'application/rdf+xml',
}); // prettier-ignore

/**
 * @param {string} name of the file, for its extension
 * @param {string} format as the daemon names it; what it found in the file comes before what the name says
 * @param {string} kind audio, video, ...
 * @returns {string} with the charset of text
 */
export function typeOf(name, format, kind) {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  let type = TYPES[format.toLowerCase()] ?? TYPES[extension] ?? 'application/octet-stream';
  // One container, two kinds: Ogg, MP4, Matroska, WebM, ASF with sound only and with pictures.
  if (kind === 'audio' && type.startsWith('video/')) type = type.replace('video/', 'audio/');
  if (kind === 'video' && type.startsWith('audio/')) type = type.replace('audio/', 'video/');
  return type === 'text/plain' || type === 'text/vtt' ? `${type}; charset=utf-8` : type;
}

/**
 * Whether a browser may show it in place. What can hold scripts, and what is not known, is saved, never opened, on the
 * address of this page.
 * @param {string} type
 */
export function isShown(type) {
  return (/^(audio|video)\//.test(type) && !type.includes('mpegurl')) || type.startsWith('text/plain') || type.startsWith('text/vtt') || (type.startsWith('image/') && !type.includes('svg'));
}

/**
 * Content-Disposition with a name of any characters (RFC 6266, RFC 8187).
 * @param {'inline' | 'attachment'} how
 * @param {string} name
 */
export function disposition(how, name) {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${how}; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}
