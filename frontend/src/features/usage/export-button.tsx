import { useMutation } from "@tanstack/react-query"
import { Download } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { apiOrigin } from "../../api/runtime"
import { Button } from "../../components/button"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import type { UsageFilters } from "./queries"

/** Asks for a link that works once and follows it; the browser then saves the file. */
export function ExportButton({ filters, isDisabled }: { filters: UsageFilters; isDisabled: boolean }) {
  const { t } = useTranslation("usage")
  const textOf = useProblemText()
  const download = useMutation({
    mutationFn: () => body(api().POST("/api/v1/usage/exports", { body: filters })),
    onSuccess: ({ url }) => {
      if (url === null) return // only in an answer given a second time, which this never asks for
      const link = document.createElement("a")
      link.href = new URL(url, apiOrigin()).href
      link.download = "usage.csv"
      document.body.append(link)
      link.click()
      link.remove()
    },
    onError: (error) => say({ tone: "bad", title: t("exportFailed"), text: textOf(error) }),
  })
  return (
    <Button disabled={isDisabled} isBusy={download.isPending} onClick={() => download.mutate()}>
      {!download.isPending && <Download className="i" aria-hidden="true" />}
      <span>
        {t("export")}
        <span className="max-md:hidden"> CSV</span>
      </span>
    </Button>
  )
}
