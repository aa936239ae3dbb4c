/** A code as people paste it, without the spaces, dashes and case that they add. The server reads codes the same way. */
export function cleanCode(text: string): string {
  return text.replace(/[\s\-–—_]+/g, "").toUpperCase()
}
