import { type ReactNode, useState } from "react"
import { Check } from "./choice"
import { FormDialog } from "./form-dialog"

/** Asks before somebody or a team goes: what will happen, line by line, and whether keys end at once. */
export function DeletionDialog({
  isOpen,
  onClose,
  onGone,
  title,
  text,
  lines,
  endKeys,
  action,
  onDelete,
}: {
  isOpen: boolean
  onClose: () => void
  onGone?: () => void
  title: string
  text: string
  lines: ReactNode[]
  endKeys: string
  action: string
  onDelete: (endKeysNow: boolean) => Promise<unknown>
}) {
  const [isNow, setNow] = useState(false)
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setNow(false)
        onGone?.()
      }}
      title={title}
      text={text}
      action={action}
      isDestructive
      onSubmit={() => onDelete(isNow)}
    >
      <ul className="grid list-disc gap-1.5 pl-5 text-13 text-ink-2">
        {lines.map((line, number) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one dialog never change places
          <li key={number}>{line}</li>
        ))}
      </ul>
      <Check isOn={isNow} onChange={setNow}>
        {endKeys}
      </Check>
    </FormDialog>
  )
}
