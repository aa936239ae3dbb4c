import { getRouteApi, Link } from "@tanstack/react-router"
import { type ReactNode, Suspense } from "react"
import { useTranslation } from "react-i18next"
import { PageHead } from "../../components/page"
import type { SectionName } from "./search"
import { SECTIONS } from "./sections"

const route = getRouteApi("/console/settings")

/** One section at a time; which one stands in the address. `below` is what other nouns have to say in a section. */
export default function SettingsPage({ below }: { below?: Partial<Record<SectionName, ReactNode>> }) {
  const { t } = useTranslation("settings")
  const { section } = route.useSearch()
  const shown = SECTIONS.find(({ name }) => name === section) ?? SECTIONS[0]
  if (!shown) return null
  return (
    <>
      <PageHead title={t("title")} text={t(`sectionText.${shown.name}`)} />
      <nav className="seg mb-8 max-w-full overflow-x-auto" aria-label={t("sectionsLabel")}>
        {SECTIONS.map(({ name }) => (
          <Link
            key={name}
            to="/console/settings"
            search={name === SECTIONS[0]?.name ? {} : { section: name }}
            activeOptions={{ exact: true }}
            aria-current={name === shown.name ? "page" : undefined}
          >
            {t(`section.${name}`)}
          </Link>
        ))}
      </nav>
      <Suspense fallback={<div aria-busy="true" className="min-h-64" />}>
        <shown.Content />
        {below?.[shown.name]}
      </Suspense>
    </>
  )
}
