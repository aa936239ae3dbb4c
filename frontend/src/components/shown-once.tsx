import { useBlocker } from "@tanstack/react-router"
import { type ReactNode, useState } from "react"
import { Button } from "./button"
import { Check } from "./choice"
import { CopyButton } from "./copy"
import { Dialog } from "./dialog"
import { Note } from "./note"

/**
 * Something that is shown this once, while it is mounted. Neither a click beside it, nor Escape, nor another address, nor
 * closing the tab takes it away unasked; only its own button, which waits until `stored` is ticked where that is asked.
 * `gone` says why there is nothing to show any more.
 */
export function ShownOnce({
  title,
  text,
  stored,
  isStored = false,
  onStored,
  done,
  gone,
  extra,
  onDone,
  children,
}: {
  title: string
  text: string
  /** What is ticked before it may go; without it, the button alone decides. */
  stored?: string
  isStored?: boolean
  onStored?: (isStored: boolean) => void
  done: string
  gone?: string | null
  /** Beside the button. */
  extra?: ReactNode
  onDone: () => void
  children: ReactNode
}) {
  const [isOpen, setOpen] = useState(true)
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: true })
  const mayGo = !stored || isStored || Boolean(gone)
  return (
    <Dialog
      isOpen={isOpen}
      isHeld
      onClose={() => setOpen(false)}
      onGone={onDone}
      title={title}
      text={gone ? undefined : text}
      foot={
        <>
          {stored && !gone && (
            <span className="mr-auto">
              <Check isOn={isStored} onChange={(isOn) => onStored?.(isOn)}>
                {stored}
              </Check>
            </span>
          )}
          {extra}
          <Button look={mayGo ? "primary" : "plain"} disabled={!mayGo} onClick={() => setOpen(false)}>
            {done}
          </Button>
        </>
      }
    >
      {gone && <Note tone="warn">{gone}</Note>}
      {children}
    </Dialog>
  )
}

/** A secret in a box of its own, with the button that copies it. */
export function Secret({ text, label, testId }: { text: string; label: string; testId: string }) {
  return (
    <div className="secret">
      <span className="mono" data-testid={testId}>
        {text}
      </span>
      <CopyButton look="primary" text={text} label={label} autoFocus />
    </div>
  )
}
