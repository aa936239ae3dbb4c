import { Check, Copy } from "lucide-react"
import { type ComponentProps, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { Button } from "./button"

const SAID_MS = 2000

async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  // Plain http on another machine has no clipboard API; the old command still works there.
  const area = document.createElement("textarea")
  area.value = text
  area.style.position = "fixed"
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

/** Copies, and says so in its own place. */
export function CopyButton({
  text,
  label,
  onCopied,
  ...rest
}: { text: string; label?: string; onCopied?: () => void } & Omit<
  ComponentProps<typeof Button>,
  "onClick" | "children"
>) {
  const { t } = useTranslation()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), SAID_MS)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <Button
      size="sm"
      {...rest}
      onClick={async () => {
        await copy(text)
        setCopied(true)
        onCopied?.()
      }}
    >
      {isCopied ? (
        <Check className="i i-sm" aria-hidden="true" />
      ) : (
        <Copy className="i i-sm" aria-hidden="true" />
      )}
      <span aria-live="polite">{isCopied ? t("copied") : (label ?? t("copy"))}</span>
    </Button>
  )
}
