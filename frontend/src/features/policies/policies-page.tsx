import { useQuery } from "@tanstack/react-query"
import { getRouteApi, Link } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { When } from "../../components/when"
import { PolicyForm } from "./policy-form"
import { usePolicyWords } from "./words"

const route = getRouteApi("/console/admin/policies")

/** What an operator decides while the gateway runs, a topic at a time. */
export default function PoliciesPage() {
  const { t } = useTranslation("policies")
  const words = usePolicyWords()
  const { topic } = route.useSearch()
  const policies = useQuery({
    queryKey: ["admin", "policies"],
    queryFn: ({ signal }) => body(api().GET("/api/v1/admin/policies", { signal })),
  })
  const lines = policies.data?.items ?? []
  const shown = lines.find((line) => line.topic === topic) ?? lines[0]
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      {policies.error && !policies.data ? (
        <Failed error={policies.error} onRetry={() => void policies.refetch()} />
      ) : !shown ? (
        <div aria-busy="true" className="min-h-96" />
      ) : (
        <div className="grid gap-8 md:grid-cols-[13rem_minmax(0,1fr)]">
          <nav aria-label={t("topics")}>
            <ul className="flex flex-wrap gap-1 md:grid">
              {lines.map((line) => (
                <li key={line.topic}>
                  <Link
                    to="/console/admin/policies"
                    search={{ topic: line.topic }}
                    aria-current={line === shown ? "page" : undefined}
                    className={`block rounded-input px-3 py-2 whitespace-nowrap no-underline ${
                      line === shown ? "bg-sunk font-label text-ink" : "text-ink-2"
                    }`}
                  >
                    {words.topic(line.topic)}
                    {line.updated_at && (
                      <span className="block text-12 text-ink-3 max-md:hidden">
                        <When at={line.updated_at} />
                      </span>
                    )}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <PolicyForm key={shown.topic} line={shown} />
        </div>
      )}
    </>
  )
}
