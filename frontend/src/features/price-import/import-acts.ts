import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"

/** What can be done with an import; `again` asks anew for all that an accepted line changes. */
export function useImportActs(importId: string) {
  const { t } = useTranslation("price-imports")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const again = () =>
    Promise.all(
      [
        ["admin", "price-imports"],
        ["admin", "models"],
        ["admin", "rate-cards"],
        ["admin", "channel-costs"],
        ["pricing"],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    )
  const path = { import_id: importId }
  const failed = (error: unknown) => say({ tone: "bad", title: t("failed"), text: textOf(error) })
  const skip = useMutation({
    mutationFn: (change: { lines: number[]; reopen: boolean }) =>
      body(api().POST("/api/v1/admin/price-imports/{import_id}/skip", { params: { path }, body: change })),
    onSuccess: again,
    onError: failed,
  })
  const refresh = useMutation({
    mutationFn: () =>
      body(api().POST("/api/v1/admin/price-imports/{import_id}/refresh", { params: { path } })),
    onSuccess: async () => {
      await again()
      say({ tone: "good", title: t("refreshed") })
    },
    onError: failed,
  })
  const rename = useMutation({
    mutationFn: (change: { line: number; model: string }) =>
      body(api().POST("/api/v1/admin/price-imports/{import_id}/rename", { params: { path }, body: change })),
    onSuccess: again,
  })
  return { again, skip, refresh, rename }
}
