import { Languages, SunMoon } from "lucide-react"
import { useTranslation } from "react-i18next"
import { chooseLanguage, type Language } from "../i18n"
import { Button } from "./button"
import { Menu, MenuChoice } from "./menu"
import { chooseTheme, languageOptions, useTheme, useThemeOptions } from "./theme"

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
