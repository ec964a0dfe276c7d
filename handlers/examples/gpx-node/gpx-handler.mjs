// GPX tracks for mediadb: name, time, place and length of a recorded way. The contract: handlers/README.md.
// Source of the rules: GPX 1.1 schema (topografix.com/GPX/1/1).
import {createHash} from 'node:crypto'
import {openSync, readSync, fstatSync, closeSync} from 'node:fs'
import {Encoder, decodeMultiStream} from '@msgpack/msgpack'
import {SaxesParser} from 'saxes'

const VERSION = 1
const MOST_BYTES = 64 * 1024 * 1024
const ALGORITHMS = ['md5', 'sha1', 'sha256']
const encoder = new Encoder({useBigInt64: true})

const MANIFEST = {
  contract: 1, application: 'gpx', version: '1.0.0',
  descriptors: false, // Node.js cannot receive descriptors: it is given paths
  sandbox: 'none',
  handlers: [{
    name: 'gpx', version: VERSION, summary: 'GPX tracks: name, time, place, points', kinds: ['document'],
    extensions: ['gpx'], mime_types: ['application/gpx+xml'], magic: [], operations: ['read', 'checksum'],
    fields: ['title', 'description', 'creators', 'software', 'date_created_at', 'latitude', 'longitude', 'altitude'],
    limits: {},
  }],
}

class HandlerError extends Error {
  constructor(code, message) { super(message); this.code = code }
}

/** The file's bytes and its stat, as the contract wants it: [inode, size, mtime_ns, ctime_ns]. */
function load(path) {
  let fd
  try {
    fd = openSync(Buffer.from(path), 'r')
  } catch (fault) {
    throw new HandlerError('io', `open: ${fault.code}`)
  }
  try {
    const before = fstatSync(fd, {bigint: true})
    if (before.size > BigInt(MOST_BYTES)) throw new HandlerError('limit', `larger than ${MOST_BYTES} bytes`)
    const data = Buffer.alloc(Number(before.size))
    let have = 0
    while (have < data.length) {
      const count = readSync(fd, data, have, data.length - have, have)
      if (count === 0) break
      have += count
    }
    const now = fstatSync(fd, {bigint: true})
    return {data: data.subarray(0, have), stat: [now.ino, now.size, now.mtimeNs, now.ctimeNs]}
  } catch (fault) {
    throw fault instanceof HandlerError ? fault : new HandlerError('io', `read: ${fault.code}`)
  } finally {
    closeSync(fd)
  }
}

function parse(data) {
  const found = {points: 0}
  const above = []
  let text = ''
  const parser = new SaxesParser({xmlns: false})
  parser.on('error', fault => { throw new HandlerError('corrupt', fault.message) })
  parser.on('doctype', () => { throw new HandlerError('corrupt', 'a document type is not accepted') })
  parser.on('opentag', tag => {
    if (above.length === 0 && tag.name !== 'gpx') throw new HandlerError('corrupt', `the root is ${tag.name}, not gpx`)
    if (above.length > 32) throw new HandlerError('corrupt', 'nested too deeply')
    if (tag.name === 'gpx') found.software = tag.attributes.creator
    if (tag.name === 'trkpt' || tag.name === 'wpt' || tag.name === 'rtept') {
      found.points += 1
      found.first ??= {lat: Number(tag.attributes.lat), lon: Number(tag.attributes.lon)}
    }
    above.push(tag.name)
    text = ''
  })
  parser.on('text', piece => { if (text.length < 65536) text += piece })
  parser.on('closetag', tag => {
    above.pop()
    const parent = above.at(-1)
    const value = text.trim()
    text = ''
    if (!value) return
    if (tag.name === 'name' && (parent === 'metadata' || parent === 'trk')) found.title ??= value
    if (tag.name === 'desc' && (parent === 'metadata' || parent === 'trk')) found.description ??= value
    if (tag.name === 'name' && parent === 'author') found.author ??= value
    if (tag.name === 'time' && !Number.isNaN(Date.parse(value))) found.time ??= Date.parse(value) / 1000
    if (tag.name === 'ele' && found.first && found.first.ele === undefined) found.first.ele = Number(value)
  })
  parser.write(data.toString('utf8')).close()
  return found
}

function read(path) {
  const {data, stat} = load(path)
  if (data.length === 0) throw new HandlerError('corrupt', 'the file is empty')
  const found = parse(data)
  const fields = {}
  const sources = {}
  const put = (name, value, source) => {
    if (value === undefined || value === '' || Number.isNaN(value)) return
    fields[name] = value
    sources[name] = source
  }
  put('title', found.title, 'GPX:name')
  put('description', found.description, 'GPX:desc')
  if (found.author) put('creators', [found.author], 'GPX:author')
  put('software', found.software, 'GPX:creator')
  put('date_created_at', found.time, 'GPX:time')
  put('latitude', found.first?.lat, 'GPX:trkpt')
  put('longitude', found.first?.lon, 'GPX:trkpt')
  put('altitude', found.first?.ele, 'GPX:ele')
  return {
    handler: 'gpx', handler_version: VERSION, kind: 'document', format: 'gpx', mime_type: 'application/gpx+xml',
    fields, tags: {'GPX:Points': [found.points]}, sources,
    keys: [['fingerprint', 'gpx-sha256/1', createHash('sha256').update(data).digest()]], // the whole file is small
    warnings: [], stat,
  }
}

function checksum(path, options) {
  const scope = options.scope ?? 'file'
  if (scope !== 'file') throw new HandlerError('unsupported', 'a GPX file has no stream of its own')
  const names = options.algorithms ?? ALGORITHMS
  for (const name of names) {
    if (!ALGORITHMS.includes(name)) throw new HandlerError('unsupported', `checksum algorithms are ${ALGORITHMS}`)
  }
  const {data, stat} = load(path)
  const digests = Object.fromEntries(names.map(name => [name, createHash(name).update(data).digest()]))
  return {handler: 'gpx', handler_version: VERSION, scope, digests, bytes: data.length, stat}
}

const OPERATIONS = {read, checksum}

function answer(op, entry, options) {
  try {
    if (!Object.hasOwn(OPERATIONS, op)) throw new HandlerError('unsupported', 'there is no such operation')
    return {ok: OPERATIONS[op](entry.path, options)}
  } catch (fault) {
    if (fault instanceof HandlerError) return {error: {code: fault.code, message: fault.message}}
    return {error: {code: 'internal', message: String(fault).slice(0, 1000)}}
  }
}

function send(message) {
  return new Promise(done => process.stdout.write(encoder.encode(message), done))
}

async function work() {
  await send(MANIFEST)
  for await (const request of decodeMultiStream(process.stdin)) {
    const files = Array.isArray(request.files) ? request.files : []
    for (const [i, entry] of files.entries()) {
      await send({id: request.id, i, begin: true})
      await send({id: request.id, i, ...answer(request.op, entry, request.options ?? {})})
    }
  }
}

/** Alone: one line of JSON a file, digests and keys in hexadecimal. */
function show(paths) {
  const plain = (key, value) => typeof value === 'bigint' ? Number(value)
    : value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value
  let failed = false
  for (const path of paths) {
    const told = answer('read', {path}, {})
    failed ||= 'error' in told
    process.stdout.write(JSON.stringify({path, ...(told.ok ?? told)}, plain) + '\n')
  }
  process.exitCode = failed ? 1 : 0
}

const words = process.argv.slice(2)
if (words.includes('--describe')) process.stdout.write(JSON.stringify(MANIFEST) + '\n')
else if (words.includes('--worker')) await work()
else if (words.length && !words[0].startsWith('--')) show(words)
else { process.stderr.write('usage: gpx-handler FILE... | --describe | --worker\n'); process.exitCode = 2 }
