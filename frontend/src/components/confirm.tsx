import { useMutation } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import { Button } from "./button"
import { Dialog } from "./dialog"
import { Note } from "./note"
import { useProblemText } from "./problem"

/** Asks before something that cannot be taken back: names the thing, says what will happen, and does it once. */
export function Confirm({
  isOpen,
  onClose,
  title,
  text,
  action,
  onConfirm,
}: {
  isOpen: boolean
  onClose: () => void
  title: string
  text: ReactNode
  action: string
  onConfirm: () => Promise<unknown>
}) {
  const { t } = useTranslation()
  const textOf = useProblemText()
  const act = useMutation({ mutationFn: onConfirm, onSuccess: onClose })
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={act.reset}
      title={title}
      text={text}
      foot={
        <>
          <Button onClick={onClose}>{t("keep")}</Button>
          <Button look="danger" isBusy={act.isPending} onClick={() => act.mutate()}>
            {action}
          </Button>
        </>
      }
    >
      {act.error && <Note tone="bad">{textOf(act.error)}</Note>}
    </Dialog>
  )
}
