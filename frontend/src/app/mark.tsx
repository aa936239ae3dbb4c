/** The brand's mark: lines that meet and go on as one. */
export function Mark() {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M2 4.5h4.5c4 0 3.5 5.5 7 5.5H18M2 15.5h4.5c4 0 3.5-5.5 7-5.5" />
      <path d="M2 10h5" stroke="var(--accent)" />
    </svg>
  )
}
