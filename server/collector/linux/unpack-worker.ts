import { parentPort } from 'node:worker_threads'
import { GuestError } from '../guest.ts'
import { gunzipped } from './gunzip.ts'
import { type OwnCompression, packedNames } from './packed-names.ts'

/** What the thread is told: how the pieces that follow are compressed, the pieces, and that there are no more. */
export type UnpackRequest =
  | { readonly kind: 'begin'; readonly compression: OwnCompression }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }

/** What the thread answers: that a piece was taken; the names, or why there are none. */
export type UnpackAnswer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

/** The requests behind one beginning, as they come. */
interface Inbox {
  readonly waiting: UnpackRequest[]
  wake: () => void
}

function answer(message: UnpackAnswer): void {
  parentPort?.postMessage(message)
}

async function* piecesOf(inbox: Inbox): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const next = inbox.waiting.shift()
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        inbox.wake = resolve
      })
      continue
    }
    if (next.kind !== 'piece') return
    const { buffer, byteOffset, byteLength } = next.bytes
    yield Buffer.from(buffer, byteOffset, byteLength)
    answer({ kind: 'taken' })
  }
}

async function read(compression: OwnCompression, inbox: Inbox): Promise<void> {
  try {
    answer({ kind: 'names', names: await packedNames(compression, piecesOf(inbox), gunzipped) })
  } catch (error) {
    if (!(error instanceof GuestError)) throw error
    answer({ kind: 'failed', code: error.code, reason: error.message })
  }
}

let inbox: Inbox = { waiting: [], wake: () => undefined }

parentPort?.on('message', (request: UnpackRequest) => {
  if (request.kind === 'begin') {
    inbox = { waiting: [], wake: () => undefined }
    void read(request.compression, inbox)
    return
  }
  inbox.waiting.push(request)
  inbox.wake()
})
