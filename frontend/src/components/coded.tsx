import { Fragment } from "react"

/** Words in which code stands between backticks, as the server's notes have it. */
export function Coded({ text }: { text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 0 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
      <Fragment key={index}>{part}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
      <code key={index} className="mono wrap-anywhere">
        {part}
      </code>
    ),
  )
}
