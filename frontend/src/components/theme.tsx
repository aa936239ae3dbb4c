import { Languages, Monitor, Moon, Sun, SunMoon } from "lucide-react"
import { useSyncExternalStore } from "react"
import { useTranslation } from "react-i18next"
import { chooseLanguage, LANGUAGES, type Language } from "../i18n"
import { Button } from "./button"
import { Menu, MenuChoice } from "./menu"

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

export function ThemeMenu() {
  const { t } = useTranslation()
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("theme.label")}>
          <SunMoon className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuChoice
        label={t("theme.label")}
        value={useTheme()}
        options={useThemeOptions()}
        onValue={chooseTheme}
      />
    </Menu>
  )
}

export function LanguageMenu() {
  const { t, i18n } = useTranslation()
  const language = i18n.language as Language
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" aria-label={`${t("language")}: ${language === "zh" ? "中" : "EN"}`}>
          <Languages className="i" aria-hidden="true" />
          <span className="max-md:hidden">{language === "zh" ? "中" : "EN"}</span>
        </Button>
      }
    >
      <MenuChoice label={t("language")} value={language} options={languageOptions} onValue={chooseLanguage} />
    </Menu>
  )
}
