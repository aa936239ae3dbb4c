import { ChevronDown, Search } from "lucide-react"
import { type ComponentProps, type ReactNode, useEffect, useRef } from "react"

type Box = { before?: ReactNode; after?: ReactNode; isLarge?: boolean; boxClass?: string }

export function Input({ before, after, isLarge, boxClass = "", ...rest }: ComponentProps<"input"> & Box) {
  return (
    <span
      className={`input ${isLarge ? "input-lg" : ""} ${rest["aria-invalid"] ? "is-bad" : ""} ${boxClass}`}
    >
      {before}
      <input {...rest} />
      {after}
    </span>
  )
}

export function TextArea(props: ComponentProps<"textarea">) {
  return (
    <span className={`input ${props["aria-invalid"] ? "is-bad" : ""}`}>
      <textarea {...props} />
    </span>
  )
}

/** The system's own list of options (best on phones and for screen readers) in our clothes. */
export function Select({ before, boxClass = "", children, ...rest }: ComponentProps<"select"> & Box) {
  return (
    <span className={`input select ${boxClass}`}>
      {before}
      <select {...rest}>{children}</select>
      <ChevronDown className="i i-sm" aria-hidden="true" />
    </span>
  )
}

/** A search field; "/" brings the cursor here from anywhere on the page that is not a field. */
export function SearchInput({
  label,
  value,
  onValue,
  placeholder,
  boxClass,
}: {
  label: string
  value: string
  onValue: (value: string) => void
  placeholder?: string
  boxClass?: string
}) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement
      if (
        event.key !== "/" ||
        event.ctrlKey ||
        event.metaKey ||
        at.closest("input, textarea, select, [role=dialog]")
      )
        return
      event.preventDefault()
      field.current?.focus()
    }
    window.addEventListener("keydown", focus)
    return () => window.removeEventListener("keydown", focus)
  }, [])
  return (
    <Input
      ref={field}
      type="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      value={value}
      onChange={(event) => onValue(event.target.value)}
      boxClass={boxClass}
      before={<Search className="i" aria-hidden="true" />}
      after={<kbd className="max-md:hidden">/</kbd>}
    />
  )
}
