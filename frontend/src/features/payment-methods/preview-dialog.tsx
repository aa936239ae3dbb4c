import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { PaymentMethod } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { Field } from "../../components/field"
import { Input, Select } from "../../components/input"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { minorText, moneyText, parseMinor } from "../../format/minor"

/** What somebody of the operator's own group would pay and get: the quote itself, not a copy of its arithmetic. */
export function PreviewDialog({
  method,
  isOpen,
  onClose,
  onGone,
}: {
  method: PaymentMethod
  isOpen: boolean
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation(["payment-methods", "common"])
  const textOf = useProblemText()
  const { sign } = useLedger()
  const start = method.minimum ?? method.packages[0]?.amount ?? 10 ** method.exponent * 10
  const [text, setText] = useState(minorText(start, method.exponent))
  const [chosen, setChosen] = useState(method.custom_amount ? "" : (method.packages[0]?.id ?? ""))
  const amount = parseMinor(text, method.exponent)
  const choice = chosen ? { method: method.id, package: chosen } : { method: method.id, amount: amount ?? 0 }
  const { data, error } = useQuery({
    queryKey: ["admin", "quote", choice],
    queryFn: ({ signal }) => body(api().POST("/api/v1/topup/quote", { body: choice, signal })),
    enabled: isOpen && (chosen !== "" || amount !== null),
    placeholderData: keepPreviousData,
    retry: false,
  })
  const money = (value: number) => moneyText(value, method.currency, method.exponent)
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("previewTitle", { name: method.label })}
      text={t("previewText")}
      foot={<Button onClick={onClose}>{t("common:close")}</Button>}
    >
      <div className="grid gap-4">
        {method.packages.length > 0 && (
          <Field label={t("packages")}>
            {(ids) => (
              <Select {...ids} value={chosen} onChange={(event) => setChosen(event.target.value)}>
                {method.custom_amount && <option value="">{t("ownAmount")}</option>}
                {method.packages.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {chosen === "" && (
          <Field label={t("packageAmount")} error={amount === null ? t("amountBad") : null}>
            {(ids) => (
              <Input
                {...ids}
                className="num"
                inputMode="decimal"
                after={<span className="affix">{method.currency}</span>}
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
        )}
        {error ? (
          <Note tone="bad">{textOf(error)}</Note>
        ) : (
          data && (
            <table className="receipt">
              <thead>
                <tr>
                  <th scope="col">{t("previewGets")}</th>
                  <td>{method.currency}</td>
                  <td>{sign}</td>
                </tr>
              </thead>
              <tbody>
                <tr className="line">
                  <th scope="row">{t("packageAmount")}</th>
                  <td>{money(data.amount)}</td>
                  <td>
                    <Amount quota={data.quota} />
                  </td>
                </tr>
                <tr className="line">
                  <th scope="row">{t("packageBonus")}</th>
                  <td />
                  <td>{data.bonus_quota > 0 ? <Amount quota={data.bonus_quota} plus /> : "–"}</td>
                </tr>
                <tr className="line">
                  <th scope="row">{t("fee")}</th>
                  <td>{data.fee > 0 ? money(data.fee) : "–"}</td>
                  <td />
                </tr>
                <tr className="total">
                  <th scope="row">{t("previewTotal")}</th>
                  <td>{money(data.total)}</td>
                  <td>
                    <Amount quota={data.quota + data.bonus_quota} />
                  </td>
                </tr>
              </tbody>
            </table>
          )
        )}
      </div>
    </Dialog>
  )
}
