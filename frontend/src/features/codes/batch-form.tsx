import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { groupsQuery } from "../../api/operator-queries"
import type { BatchDraft } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { PickMany } from "../../components/pick-many"
import { countText, exactAmount, parseAmount } from "../../format/quota"
import { fromLocalInput } from "../../format/time"

const COUNT_MOST = 10_000
const CAMPAIGN = /^(?=.{3,64}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/
const EMPTY = {
  name: "",
  words: "",
  amount: "",
  count: "10",
  expires: "",
  usesPerCode: "1",
  usesPerAccount: "1",
}
type Name = keyof typeof EMPTY

function whole(text: string, most: number): number | null {
  const number = Number(text)
  return Number.isInteger(number) && number >= 1 && number <= most ? number : null
}

/** A batch of codes to be; the button says what it is worth in all. */
export function BatchForm({
  isOpen,
  onClose,
  onSubmit,
}: {
  isOpen: boolean
  onClose: () => void
  onSubmit: (draft: BatchDraft) => Promise<unknown>
}) {
  const { t } = useTranslation(["admin", "codes"])
  const { unit, sign, currency } = useLedger()
  const groups = useQuery({ ...groupsQuery, enabled: isOpen })
  const [fields, setFields] = useState(EMPTY)
  const [chosen, setChosen] = useState<string[]>([])
  const [wasSent, setSent] = useState(false)
  const amount = parseAmount(fields.amount, unit)
  const isAmount = amount !== null && amount > 0
  const words = fields.words.trim()
  const areWordsWrong = words !== "" && !CAMPAIGN.test(words)
  const count = words ? 1 : whole(fields.count, COUNT_MOST)
  const usesPerCode = whole(fields.usesPerCode, 1_000_000)
  const usesPerAccount = whole(fields.usesPerAccount, 1000)
  const expires = fromLocalInput(fields.expires)
  const isExpiryPast = expires !== null && Date.parse(expires) <= Date.now()
  const errorOf = (isWrong: boolean, text: string) => (wasSent && isWrong ? text : null)
  const input = (name: Name) => ({
    value: fields[name],
    onChange: (event: { target: { value: string } }) =>
      setFields((before) => ({ ...before, [name]: event.target.value })),
  })
  const submit = () => {
    setSent(true)
    if (!fields.name.trim() || !isAmount || !count || !usesPerCode || !usesPerAccount || isExpiryPast)
      return null
    if (areWordsWrong || (words && !expires)) return null
    return onSubmit({
      name: fields.name.trim(),
      amount,
      count,
      uses_per_code: usesPerCode,
      uses_per_account: usesPerAccount,
      ...(words && { code: words }),
      ...(expires && { expires_at: expires }),
      ...(chosen.length > 0 && { groups: chosen }),
    })
  }
  const worth =
    isAmount && count && usesPerCode
      ? `${sign}${exactAmount(BigInt(amount) * BigInt(count) * BigInt(usesPerCode), unit)}`
      : null
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setFields(EMPTY)
        setChosen([])
        setSent(false)
      }}
      title={t("codes.new")}
      text={t("codes.newText")}
      action={
        !worth || !count
          ? t("codes.create")
          : words
            ? t("codes:createOne", { worth })
            : t("codes.createWorth", { count, codes: countText(count), worth })
      }
      onSubmit={submit}
    >
      <Field
        label={t("codes.name")}
        help={t("codes.nameHelp")}
        error={errorOf(!fields.name.trim(), t("codes.nameMissing"))}
      >
        {(ids) => <Input {...ids} autoFocus maxLength={120} {...input("name")} />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("codes.amount")} error={errorOf(!isAmount, t("codes.amountBad"))}>
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              before={<span className="affix">{sign}</span>}
              after={<span className="affix">{currency}</span>}
              {...input("amount")}
            />
          )}
        </Field>
        {!words && (
          <Field
            label={t("codes.count")}
            error={errorOf(!count, t("codes.countBad", { most: countText(COUNT_MOST) }))}
          >
            {(ids) => <Input {...ids} className="num" inputMode="numeric" {...input("count")} />}
          </Field>
        )}
        <Field label={t("codes.usesPerCode")} error={errorOf(!usesPerCode, t("wholeNumber"))}>
          {(ids) => <Input {...ids} className="num" inputMode="numeric" {...input("usesPerCode")} />}
        </Field>
        <Field label={t("codes.usesPerAccount")} error={errorOf(!usesPerAccount, t("wholeNumber"))}>
          {(ids) => <Input {...ids} className="num" inputMode="numeric" {...input("usesPerAccount")} />}
        </Field>
      </div>
      <Field
        label={t("codes.expires")}
        help={words ? t("codes:needsEnd") : t("codes.expiresHelp")}
        error={
          errorOf(isExpiryPast, t("codes.past")) ?? errorOf(Boolean(words) && !expires, t("codes:needsEnd"))
        }
      >
        {(ids) => <Input {...ids} type="datetime-local" {...input("expires")} />}
      </Field>
      <Field
        label={t("codes:words")}
        help={t("codes:wordsHelp")}
        error={errorOf(areWordsWrong, t("codes:wordsBad"))}
      >
        {(ids) => <Input {...ids} className="mono" maxLength={64} autoComplete="off" {...input("words")} />}
      </Field>
      <PickMany
        label={t("codes.groups")}
        help={t("codes.groupsHelp")}
        options={groups.data?.map(({ name }) => name) ?? []}
        chosen={chosen}
        onChange={setChosen}
      />
    </FormDialog>
  )
}
