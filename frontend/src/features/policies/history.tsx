import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { Section } from "../../components/page"
import { Failed } from "../../components/problem"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { usePolicyWords } from "./words"

type Version = { version: number; changed_at: string; changed_by_email: string | null; value: object }

/** The fields in which a version differs from the one before it. */
function changed(version: Version, before: Version | undefined): string[] {
  const [now, then] = [version.value, before?.value ?? {}] as Record<string, unknown>[]
  if (!now || !then) return []
  return Object.keys(now).filter((name) => before && JSON.stringify(now[name]) !== JSON.stringify(then[name]))
}

/** Who changed a topic and when, and the way back. */
export function History({ topic, isDirty }: { topic: string; isDirty: boolean }) {
  const { t } = useTranslation("policies")
  const words = usePolicyWords()
  const queries = useQueryClient()
  const [chosen, setChosen] = useState<number | null>(null)
  const history = useQuery({
    queryKey: ["admin", "policies", topic, "history"],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/policies/{topic}/history", { params: { path: { topic } }, signal })),
  })
  const restore = async () => {
    if (chosen === null) return
    await body(
      api().POST("/api/v1/admin/policies/{topic}/restore", {
        params: { path: { topic } },
        body: { version: chosen },
      }),
    )
    await queries.invalidateQueries({ queryKey: ["admin", "policies"] })
    await queries.invalidateQueries({ queryKey: ["status"] })
    say({ tone: "good", title: t("restored") })
  }
  const versions = history.data?.items ?? []
  if (history.error) return <Failed error={history.error} onRetry={() => void history.refetch()} />
  return (
    <Section title={t("history")} text={versions.length === 0 ? t("never") : undefined}>
      <ol className="grid gap-2 text-13">
        {versions.map((version, index) => (
          <li
            key={version.version}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-rule-2 border-t py-2"
          >
            <span className="grow">
              <When at={version.changed_at} as="time" /> · {version.changed_by_email ?? t("house")}
              <span className="block text-ink-3">
                {changed(version, versions[index + 1])
                  .map((name) => words.label(topic, name))
                  .join(", ")}
              </span>
            </span>
            {index === 0 ? (
              <span className="text-ink-3">{t("holds")}</span>
            ) : (
              <Button size="sm" disabled={isDirty} onClick={() => setChosen(version.version)}>
                {t("restore")}
              </Button>
            )}
          </li>
        ))}
      </ol>
      <Confirm
        isOpen={chosen !== null}
        onClose={() => setChosen(null)}
        title={t("restoreTitle")}
        text={t("restoreText", { topic: words.topic(topic) })}
        action={t("restore")}
        onConfirm={restore}
      />
    </Section>
  )
}
