import { useMutation } from "@tanstack/react-query"
import { type FormEvent, type ReactNode, useId } from "react"
import { useTranslation } from "react-i18next"
import { Button } from "./button"
import { Dialog } from "./dialog"
import { Note } from "./note"
import { useProblemText } from "./problem"

/**
 * A dialog with a form. `onSubmit` sends, or returns null when something is missing and said beside its field; the dialog
 * closes when it succeeded and says why when it did not.
 */
export function FormDialog({
  isOpen,
  onClose,
  onGone,
  title,
  text,
  action,
  isDestructive = false,
  onSubmit,
  children,
}: {
  isOpen: boolean
  onClose: () => void
  onGone?: () => void
  title: string
  text?: ReactNode
  action: string
  isDestructive?: boolean
  onSubmit: () => Promise<unknown> | null
  children?: ReactNode
}) {
  const { t } = useTranslation()
  const id = useId()
  const textOf = useProblemText()
  const send = useMutation({ mutationFn: (sent: Promise<unknown>) => sent, gcTime: 0, onSuccess: onClose })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (send.isPending) return
    const sent = onSubmit()
    if (sent) send.mutate(sent)
  }
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        send.reset()
        onGone?.()
      }}
      title={title}
      text={text}
      foot={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" form={id} look={isDestructive ? "danger" : "primary"} isBusy={send.isPending}>
            {action}
          </Button>
        </>
      }
    >
      <form id={id} className="grid gap-4" onSubmit={submit} noValidate>
        {children}
        {send.error && <Note tone="bad">{textOf(send.error)}</Note>}
      </form>
    </Dialog>
  )
}

/** A dialog opened from a row: keeps what it is about until it has faded out. */
export type Open<Thing> = { thing: Thing; isOpen: boolean } | null

export function opened<Thing>(thing: Thing): Open<Thing> {
  return { thing, isOpen: true }
}

export function closed<Thing>(open: Open<Thing>): Open<Thing> {
  return open && { ...open, isOpen: false }
}
