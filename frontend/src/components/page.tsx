import { type ReactNode, useEffect, useId } from "react"

/** The head of a page: its title (also the tab's), one sentence, and at most one primary button. */
export function PageHead({
  title,
  text,
  children,
}: {
  title: string
  text?: ReactNode
  children?: ReactNode
}) {
  useTitle(title)
  return (
    <div className="head">
      <div>
        <h1>{title}</h1>
        {text && <p>{text}</p>}
      </div>
      {children && <div className="acts">{children}</div>}
    </div>
  )
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · AI Router`
  }, [title])
}

/** A section that opens with a strong rule. */
export function Block({
  title,
  children,
  id,
  className = "",
}: {
  title: string
  children: ReactNode
  id?: string
  className?: string
}) {
  const headId = useId()
  return (
    <section id={id} className={`blk ${className}`} aria-labelledby={headId}>
      <h2 id={headId}>{title}</h2>
      {children}
    </section>
  )
}

/** A section whose table carries the rule itself. */
export function Section({
  title,
  text,
  actions,
  children,
}: {
  title: string
  text?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  const id = useId()
  return (
    <section className="sec" aria-labelledby={id}>
      <div className="sec-head">
        <h2 id={id}>{title}</h2>
        {text && <p>{text}</p>}
        {actions && <div className="acts">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
