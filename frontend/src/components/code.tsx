import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import { Segmented } from "./choice"
import { CopyButton } from "./copy"

/** Quoted strings and addresses stand out a little; the text copied is exactly the text given. */
function tinted(code: string): ReactNode[] {
  return code.split(/("[^"\n]*"|'[^'\n]*'|https?:\/\/[^\s"'\\]+)/g).map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one string never move
      <span key={index} className="s">
        {part}
      </span>
    ) : (
      part
    ),
  )
}

/** `copied` is what the button copies where only a part is shown. */
export function CodeBlock({ code, label, copied = code }: { code: string; label?: string; copied?: string }) {
  const { t } = useTranslation()
  return (
    <figure className="code" aria-label={label ?? t("code")}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line must be scrollable by keyboard */}
      <pre tabIndex={0}>
        <code>{tinted(code)}</code>
      </pre>
      <CopyButton text={copied} />
    </figure>
  )
}

/** The same thing in several tongues. */
export function CodeTabs({
  label,
  help,
  tabs,
}: {
  label: string
  help?: string
  tabs: { name: string; code: string }[]
}) {
  const [name, setName] = useState(tabs[0]?.name ?? "")
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="flex items-center justify-between gap-3">
        <Segmented
          label={label}
          isSmall
          value={name}
          onValue={setName}
          options={tabs.map((tab) => ({ value: tab.name, label: tab.name }))}
        />
        {help && <span className="text-12 text-ink-3">{help}</span>}
      </div>
      <CodeBlock code={tabs.find((tab) => tab.name === name)?.code ?? ""} label={name} />
    </div>
  )
}
