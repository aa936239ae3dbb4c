import { type ReactNode, useId } from "react"

/** A part of a channel's page: what it is about at the left, its fields beside it. */
export function Part({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <section className="form-part" aria-labelledby={id}>
      <div>
        <h2 id={id}>{title}</h2>
        {text && <p className="help mt-1">{text}</p>}
      </div>
      <div className="grid min-w-0 content-start gap-4">{children}</div>
    </section>
  )
}
