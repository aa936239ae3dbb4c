import type { ReactNode } from "react"

/** One of a few, all in sight: a view, a unit. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onValue,
  isSmall,
}: {
  label: string
  value: T
  options: { value: T; label: ReactNode }[]
  onValue: (value: T) => void
  isSmall?: boolean
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as an inline row of buttons everywhere
    <div className={`seg ${isSmall ? "seg-sm" : ""}`} role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onValue(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  )
}

export function Chip({
  isOn,
  onPress,
  children,
}: {
  isOn: boolean
  onPress: () => void
  children: ReactNode
}) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={onPress}>
      {children}
    </button>
  )
}

export function Check({
  isOn,
  onChange,
  children,
  name,
}: {
  isOn: boolean
  onChange: (isOn: boolean) => void
  children: ReactNode
  name?: string
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        className="box"
        name={name}
        checked={isOn}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>{children}</span>
    </label>
  )
}

export function Switch({
  label,
  isOn,
  onChange,
  isDisabled,
}: {
  label: string
  isOn: boolean
  onChange: (isOn: boolean) => void
  isDisabled?: boolean
}) {
  return (
    <input
      type="checkbox"
      role="switch"
      className="switch"
      aria-label={label}
      checked={isOn}
      aria-checked={isOn}
      disabled={isDisabled}
      onChange={(event) => onChange(event.target.checked)}
    />
  )
}
