import { useSuspenseQuery } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { meQuery } from "../../api/queries"
import { Segmented } from "../../components/choice"
import { Block } from "../../components/page"
import { chooseTheme, languageOptions, useTheme, useThemeOptions } from "../../components/theme"
import { chooseLanguage, type Language } from "../../i18n"
import { ChangeEmail } from "./change-email"

function Person() {
  const { t } = useTranslation("settings")
  const { data: me } = useSuspenseQuery(meQuery)
  return (
    <Block title={t("profile")}>
      <dl className="kv max-w-[25rem]">
        <dt>{t("email")}</dt>
        <dd title={me.user.email}>{me.user.email}</dd>
        <dt>{t("role")}</dt>
        <dd>{t(`roles.${me.user.role}`)}</dd>
        <dt>{t("group")}</dt>
        <dd>{me.account.group}</dd>
      </dl>
      <div>
        <ChangeEmail />
      </div>
    </Block>
  )
}

function Appearance() {
  const { t, i18n } = useTranslation("settings")
  const themes = useThemeOptions().map(({ value, label, icon }) => ({
    value,
    label: (
      <>
        {icon}
        {label}
      </>
    ),
  }))
  return (
    <Block title={t("look")}>
      <p className="text-13 text-ink-3">{t("lookText")}</p>
      <div className="flex flex-wrap gap-6">
        <div className="field">
          <span className="legend">{t("theme")}</span>
          <Segmented label={t("theme")} value={useTheme()} options={themes} onValue={chooseTheme} />
        </div>
        <div className="field">
          <span className="legend">{t("language")}</span>
          <Segmented
            label={t("language")}
            value={i18n.language as Language}
            options={languageOptions}
            onValue={(language) => void chooseLanguage(language)}
          />
        </div>
      </div>
    </Block>
  )
}

/** Who one is here, and how this browser shows it. */
export default function Profile() {
  return (
    <div className="grid gap-10 lg:grid-cols-2 lg:gap-12">
      <Person />
      <Appearance />
    </div>
  )
}
