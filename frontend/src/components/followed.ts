// Whether a receipt was ever opened in this browser: the last step of getting started, which no server knows.
const MARK = "airouter.followed_receipt"

export function markFollowed(): void {
  try {
    localStorage.setItem(MARK, "1")
  } catch {
    // Storage may be forbidden; the step then stays open.
  }
}

export function hasFollowed(): boolean {
  try {
    return localStorage.getItem(MARK) !== null
  } catch {
    return false
  }
}
