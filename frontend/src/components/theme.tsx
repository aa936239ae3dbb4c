import { Languages, Monitor, Moon, Sun } from "lucide-react"
import { useSyncExternalStore } from "react"
import { useTranslation } from "react-i18next"
import { chooseLanguage, LANGUAGES, type Language } from "../i18n"
import { Button } from "./button"

export type Theme = "system" | "light" | "dark"

const CHOICE = "airouter.theme"
const listeners = new Set<() => void>()

function currentTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return theme === "light" || theme === "dark" ? theme : "system"
}

export function chooseTheme(theme: Theme): void {
  const { dataset } = document.documentElement
  if (theme === "system") delete dataset.theme
  else dataset.theme = theme
  try {
    localStorage.setItem(CHOICE, theme)
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme)
}

const ICONS = { system: Monitor, light: Sun, dark: Moon }

export function useThemeOptions() {
  const { t } = useTranslation()
  return (["system", "light", "dark"] as const).map((value) => {
    const Icon = ICONS[value]
    return { value, label: t(`theme.${value}`), icon: <Icon className="i" aria-hidden="true" /> }
  })
}

export const languageOptions = Object.entries(LANGUAGES).map(([value, label]) => ({
  value: value as Language,
  label,
}))

/** The other language, by its own name: with two there is nothing to choose from. Menus would weigh on the public pages. */
export function LanguageToggle() {
  const { i18n } = useTranslation()
  const other: Language = i18n.language === "zh" ? "en" : "zh"
  return (
    <Button look="ghost" size="sm" lang={other} onClick={() => void chooseLanguage(other)}>
      <Languages className="i max-md:hidden" aria-hidden="true" />
      {other === "zh" ? "中文" : "EN"}
    </Button>
  )
}

const NEXT = { system: "light", light: "dark", dark: "system" } as const

export function ThemeToggle() {
  const { t } = useTranslation()
  const theme = useTheme()
  const Icon = ICONS[theme]
  const label = `${t("theme.label")}: ${t(`theme.${theme}`)}`
  return (
    <Button
      look="ghost"
      size="sm"
      isIcon
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(NEXT[theme])}
    >
      <Icon className="i" aria-hidden="true" />
    </Button>
  )
}
