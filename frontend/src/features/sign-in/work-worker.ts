// Looks for the answer beside the page, which stays alive meanwhile.
import { solve } from "./work"

self.onmessage = ({ data }: MessageEvent<{ challenge: string; bits: number }>) => {
  self.postMessage(solve(data.challenge, data.bits))
}
