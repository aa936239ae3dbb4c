import { rateText } from "../format/quota"
import { Nothing, useLedger } from "./amount"
import { type Meter, perOf } from "./rates"

const MILLION = 1_000_000

/** Quota for a million tokens, or for one piece, as an amount; a dash where there is none. */
export function MeterRate({ meter, rate }: { meter: Meter; rate: number | null | undefined }) {
  const { unit } = useLedger()
  if (rate == null) return <Nothing />
  return <span className="fig">{rateText({ rate, per: perOf(meter) }, MILLION, perOf(meter), unit)}</span>
}
