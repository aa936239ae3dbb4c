import { Dialog as Base } from "@base-ui/react/dialog"
import { X } from "lucide-react"
import { type ReactNode, useRef } from "react"
import { useTranslation } from "react-i18next"
import { Button } from "./button"

type Props = {
  isOpen: boolean
  onClose: () => void
  title: ReactNode
  text?: ReactNode
  children?: ReactNode
  foot?: ReactNode
  /** Neither Escape nor a click beside it closes it: for what is shown only once. */
  isHeld?: boolean
  /** Called when the dialog has gone, so that its content may be dropped without a flash. */
  onGone?: () => void
}

/** Where the focus goes back to; `true` leaves it to the primitive where the opener is gone. */
function focusable(element: Element | null): HTMLElement | true {
  return element instanceof HTMLElement && element.isConnected && element !== document.body ? element : true
}

/** A dialog with head, body and foot. Focus moves in, stays in, and goes back where it was. */
export function Dialog({ isOpen, onClose, title, text, children, foot, isHeld = false, onGone }: Props) {
  // A field with autoFocus has taken the focus before the primitive notes who had it, so it is noted here.
  const opener = useRef<Element | null>(null)
  const wasOpen = useRef(false)
  if (isOpen && !wasOpen.current) opener.current = document.activeElement
  wasOpen.current = isOpen
  return (
    <Base.Root
      open={isOpen}
      disablePointerDismissal={isHeld}
      onOpenChange={(open, details) => {
        if (open) return
        if (isHeld && (details.reason === "escape-key" || details.reason === "outside-press"))
          return details.cancel()
        onClose()
      }}
      onOpenChangeComplete={(open) => {
        if (!open) onGone?.()
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="dialog" finalFocus={() => focusable(opener.current)}>
          <div className="dialog-head">
            <Base.Title>{title}</Base.Title>
            {text && <Base.Description>{text}</Base.Description>}
          </div>
          <div className="dialog-body">{children}</div>
          {foot && <div className="dialog-foot">{foot}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

/** A panel from the right: one row in full, beside its list. */
export function Drawer({
  isOpen,
  onClose,
  title,
  children,
  side = "right",
}: {
  isOpen: boolean
  onClose: () => void
  title: string
  children: ReactNode
  side?: "left" | "right"
}) {
  const { t } = useTranslation()
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className={side === "left" ? "drawer drawer-left side" : "drawer"}>
          {side === "left" ? (
            <Base.Title className="sr-only">{title}</Base.Title>
          ) : (
            <div className="flex items-center justify-between gap-3 border-b border-rule px-6 py-3">
              <Base.Title>{title}</Base.Title>
              <Button look="ghost" size="sm" isIcon aria-label={t("close")} onClick={onClose}>
                <X className="i" aria-hidden="true" />
              </Button>
            </div>
          )}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
