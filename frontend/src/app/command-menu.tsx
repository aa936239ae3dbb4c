import { Dialog as Base } from "@base-ui/react/dialog"
import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { Boxes, Languages, type LucideIcon, Plus, Search, SunMoon, Ticket } from "lucide-react"
import { type KeyboardEvent, useId, useMemo, useState } from "react"
import { useTranslation } from "react-i18next"
import { meQuery, pricingQuery } from "../api/queries"
import { chooseTheme, useTheme } from "../components/theme"
import { chooseLanguage } from "../i18n"
import { OPERATOR_PLACES, placesFor } from "./navigation"

type Command = {
  id: string
  group: string
  label: string
  icon: LucideIcon
  isMono?: boolean
  run: () => void
}

const MODELS_SHOWN = 6

function useCommands(): Command[] {
  const { t, i18n } = useTranslation()
  const navigate = useNavigate()
  const theme = useTheme()
  const { data: me } = useSuspenseQuery(meQuery)
  const pricing = useQuery(pricingQuery(null))
  return useMemo(() => {
    const own = placesFor(me)
    const places = me.user.role === "user" ? own : [...own, ...OPERATOR_PLACES]
    const nextTheme = theme === "dark" ? "light" : "dark"
    const nextLanguage = i18n.language === "zh" ? "en" : "zh"
    return [
      ...places.map((place) => ({
        id: place.to,
        group: t("command.go"),
        label: t(place.label),
        icon: place.icon,
        run: () => navigate({ to: place.to }),
      })),
      {
        id: "new-key",
        group: t("command.do"),
        label: t("command.newKey"),
        icon: Plus,
        run: () => navigate({ to: "/console/keys", search: { new: true } }),
      },
      {
        id: "redeem",
        group: t("command.do"),
        label: t("command.redeem"),
        icon: Ticket,
        run: () => navigate({ to: "/console/topup", hash: "redeem" }),
      },
      {
        id: "theme",
        group: t("command.do"),
        label: t(`command.${nextTheme}`),
        icon: SunMoon,
        run: () => chooseTheme(nextTheme),
      },
      {
        id: "language",
        group: t("command.do"),
        label: nextLanguage === "zh" ? "切换到中文" : "Switch to English",
        icon: Languages,
        run: () => void chooseLanguage(nextLanguage),
      },
      ...(pricing.data?.models ?? []).map(({ model }) => ({
        id: `model ${model}`,
        group: t("command.models"),
        label: model,
        icon: Boxes,
        isMono: true,
        run: () => navigate({ to: "/pricing", search: { q: model, model } }),
      })),
    ]
  }, [me, theme, pricing.data, i18n.language, t, navigate])
}

function matching(commands: Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = commands.filter(({ label, id }) =>
    words.every((word) => label.toLowerCase().includes(word) || id.toLowerCase().includes(word)),
  )
  const models = found.filter((command) => command.isMono).slice(0, MODELS_SHOWN)
  return [...found.filter((command) => !command.isMono), ...models]
}

/** Search or jump to: a field over a list, driven by the arrow keys. */
export default function CommandMenu({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const commands = useCommands()
  const listId = useId()
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  const shown = matching(commands, text)
  const current = Math.min(at, shown.length - 1)

  const run = (command: Command) => {
    onClose()
    command.run()
  }
  const press = (event: KeyboardEvent) => {
    const command = shown[current]
    if (event.key === "ArrowDown") setAt((current + 1) % shown.length)
    else if (event.key === "ArrowUp") setAt((current - 1 + shown.length) % shown.length)
    else if (event.key === "Enter" && command) run(command)
    else return
    event.preventDefault()
  }

  return (
    <Base.Root
      open={isOpen}
      onOpenChange={(open) => !open && onClose()}
      onOpenChangeComplete={(open) => {
        if (open) return
        setText("")
        setAt(0)
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="dialog command">
          <Base.Title className="sr-only">{t("command.open")}</Base.Title>
          <div className="flex items-center gap-2 border-b border-rule px-4">
            <Search className="i text-ink-3" aria-hidden="true" />
            <input
              className="h-12 flex-1 bg-transparent text-14 outline-none"
              role="combobox"
              aria-expanded="true"
              aria-controls={listId}
              aria-activedescendant={shown[current] ? `${listId}-${current}` : undefined}
              aria-label={t("command.open")}
              placeholder={t("command.open")}
              value={text}
              onChange={(event) => {
                setText(event.target.value)
                setAt(0)
              }}
              onKeyDown={press}
            />
            <kbd>esc</kbd>
          </div>
          <div
            id={listId}
            role="listbox"
            aria-label={t("command.open")}
            className="max-h-96 overflow-auto p-1"
          >
            {shown.length === 0 && <p className="p-4 text-13 text-ink-3">{t("command.none")}</p>}
            {shown.map((command, index) => (
              <div key={command.id} role="presentation">
                {command.group !== shown[index - 1]?.group && (
                  <div className="px-2 pt-2 pb-1 text-12 text-ink-3" role="presentation">
                    {command.group}
                  </div>
                )}
                {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field above holds the focus and the keys */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: options of a combobox are not focused */}
                <div
                  id={`${listId}-${index}`}
                  role="option"
                  aria-selected={index === current}
                  className="mi"
                  onClick={() => run(command)}
                  onMouseMove={() => setAt(index)}
                >
                  <command.icon className="i" aria-hidden="true" />
                  <span className={command.isMono ? "mono" : undefined}>{command.label}</span>
                </div>
              </div>
            ))}
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
