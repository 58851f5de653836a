// Uploads files with tus-js-client. TestTusClient runs it and decides what breaks on the way.
//
//   node drive.mjs < {"endpoint", "token", "files": [{"path", "name", "chunk", "wrong"}]}
//
// chunk is the most bytes of a request, 0 for no limit. wrong makes the first offset wrong. The
// answer is one line of JSON: for each file the id that the server named, or the error.
import { createRequire } from 'node:module'
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'

const require = createRequire(new URL('../../web/package.json', import.meta.url))
const { Upload } = require('tus-js-client')

const job = JSON.parse(await text(process.stdin))

const send = file => new Promise(done => {
  let id = '', wrong = file.wrong, retries = 0
  const upload = new Upload(createReadStream(file.path), {
    endpoint: job.endpoint,
    chunkSize: file.chunk || Infinity,
    retryDelays: Array(60).fill(50),
    headers: { Authorization: `Bearer ${job.token}` },
    metadata: { filename: file.name, filetype: 'application/x-test' },
    onBeforeRequest(request) {
      if (wrong && request.getMethod() === 'PATCH') {
        request.setHeader('Upload-Offset', '1')
        wrong = false
      }
    },
    onAfterResponse(_, response) { id = response.getHeader('Coffer-File') || id },
    onShouldRetry() { retries++; return true },
    onSuccess: () => done({ id, retries }),
    onError: error => done({ error: String(error), retries }),
  })
  upload.start()
})

console.log(JSON.stringify(await Promise.all(job.files.map(send))))
