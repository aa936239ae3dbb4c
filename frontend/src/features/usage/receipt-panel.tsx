import { Dialog as Base } from "@base-ui/react/dialog"
import { useQuery } from "@tanstack/react-query"
import { ChevronDown, ChevronUp, SearchX, X } from "lucide-react"
import { type ReactNode, useEffect, useId, useState, useSyncExternalStore } from "react"
import { useTranslation } from "react-i18next"
import { asProblem } from "../../api/problem"
import { keysQuery } from "../../api/queries"
import type { Key, Receipt } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { CodeBlock } from "../../components/code"
import { CopyButton } from "../../components/copy"
import { markFollowed } from "../../components/followed"
import { Failed } from "../../components/problem"
import { useMeterName } from "../../components/receipt"
import { exactTime } from "../../format/time"
import { receiptQuery } from "./queries"
import { ReceiptBody, useCallWords } from "./receipt-body"
import { receiptText } from "./receipt-text"

const BESIDE = "(width >= 64rem)"

function watch(changed: () => void): () => void {
  const media = window.matchMedia(BESIDE)
  media.addEventListener("change", changed)
  return () => media.removeEventListener("change", changed)
}

/** Whether there is room for the receipt beside the log; else it lies over it. */
function useIsBeside(): boolean {
  return useSyncExternalStore(watch, () => window.matchMedia(BESIDE).matches)
}

function Skeleton() {
  const widths = ["40%", "64%", "100%", "100%", "80%", "100%", "100%", "60%"]
  return (
    <div className="grid gap-5" aria-busy="true">
      {widths.map((width, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: skeleton lines are all alike
        <span key={index} className="bone" style={{ width, height: index === 1 ? 28 : 12 }} />
      ))}
    </div>
  )
}

function useReceiptText(receipt: Receipt | undefined, apiKey: Key | undefined): string {
  const { t, i18n } = useTranslation(["usage", "common"])
  const { unit, currency } = useLedger()
  const meter = useMeterName()
  const callWords = useCallWords()
  if (!receipt) return ""
  return receiptText(receipt, unit, currency, {
    title: t("receipt.title"),
    meter,
    subtotal: t("common:receipt.subtotal"),
    group: (group) => t("common:receipt.group", { group }),
    total: t("receipt.total"),
    charged: t("receipt.charged"),
    each: t("common:receipt.each"),
    facts: [
      [t("receipt.when"), exactTime(receipt.created_at, i18n.language)],
      [t("model"), receipt.model],
      [t("key"), apiKey ? `${apiKey.name} (${apiKey.prefix}…)` : receipt.key_id],
      [t("receipt.call"), callWords(receipt)],
    ],
  })
}

type Props = {
  requestId: string
  onClose: () => void
  /** Undefined where the log ends. */
  onNewer?: () => void
  onOlder?: () => void
}

function Head({ requestId, onClose, onNewer, onOlder, title }: Props & { title: ReactNode }) {
  const { t } = useTranslation(["usage", "common"])
  return (
    <header className="rc-head">
      <div className="min-w-0">
        {title}
        <div className="flex items-center gap-1 text-12 text-ink-3">
          <span className="mono truncate" title={requestId}>
            {requestId}
          </span>
          <CopyButton look="ghost" className="rc-copy" text={requestId} aria-label={t("receipt.copyId")} />
        </div>
      </div>
      <div className="ml-auto flex">
        <Button
          look="ghost"
          size="sm"
          isIcon
          aria-label={t("receipt.newer")}
          aria-disabled={onNewer ? undefined : true}
          onClick={onNewer}
        >
          <ChevronUp className="i" aria-hidden="true" />
        </Button>
        <Button
          look="ghost"
          size="sm"
          isIcon
          aria-label={t("receipt.older")}
          aria-disabled={onOlder ? undefined : true}
          onClick={onOlder}
        >
          <ChevronDown className="i" aria-hidden="true" />
        </Button>
        <Button look="ghost" size="sm" isIcon aria-label={t("common:close")} onClick={onClose}>
          <X className="i" aria-hidden="true" />
        </Button>
      </div>
    </header>
  )
}

function Content({ title, ...props }: Props & { title: ReactNode }) {
  const { t } = useTranslation("usage")
  const { requestId } = props
  const [isRaw, setRaw] = useState(false)
  const { data: receipt, error, refetch } = useQuery(receiptQuery(requestId))
  const { data: keys } = useQuery(keysQuery)
  const apiKey = keys?.items.find((key) => key.id === receipt?.key_id)
  const text = useReceiptText(receipt, apiKey)
  useEffect(() => {
    if (receipt) markFollowed()
  }, [receipt])
  return (
    <>
      <Head {...props} title={title} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="rc-body" tabIndex={0} aria-label={t("receipt.title")}>
        {error && !receipt && asProblem(error).status === 404 ? (
          <div className="state-box">
            <SearchX className="i" aria-hidden="true" />
            <h3>{t("none.id")}</h3>
            <p>{t("none.notYours")}</p>
          </div>
        ) : error && !receipt ? (
          <Failed title={t("receipt.failed")} error={error} onRetry={() => void refetch()} />
        ) : !receipt ? (
          <Skeleton />
        ) : isRaw ? (
          <CodeBlock label="JSON" code={JSON.stringify(receipt, null, 2)} />
        ) : (
          <ReceiptBody receipt={receipt} apiKey={apiKey} />
        )}
      </section>
      <footer className="rc-foot">
        <CopyButton size="md" text={text} label={t("receipt.copy")} disabled={!receipt} />
        <CopyButton
          size="md"
          text={`${window.location.origin}/console/usage/${encodeURIComponent(requestId)}`}
          label={t("receipt.copyLink")}
        />
        <Button
          look="ghost"
          className="ml-auto"
          aria-pressed={isRaw}
          disabled={!receipt}
          onClick={() => setRaw(!isRaw)}
        >
          {isRaw ? t("receipt.title") : "JSON"}
        </Button>
      </footer>
    </>
  )
}

/** Beside the log where there is room, so that one can walk through the rows; over it on a small screen. */
export function ReceiptPanel(props: Props) {
  const { t } = useTranslation("usage")
  const isBeside = useIsBeside()
  const id = useId()
  const { onClose } = props
  useEffect(() => {
    if (!isBeside) return
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return
      if ((event.target as HTMLElement).closest("input, select, [role=dialog], [role=menu]")) return
      onClose()
    }
    window.addEventListener("keydown", press)
    return () => window.removeEventListener("keydown", press)
  }, [isBeside, onClose])
  if (isBeside) {
    return (
      <aside className="rc" aria-labelledby={id}>
        <Content {...props} title={<h2 id={id}>{t("receipt.title")}</h2>} />
      </aside>
    )
  }
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="rc rc-over">
          <Content {...props} title={<Base.Title>{t("receipt.title")}</Base.Title>} />
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
