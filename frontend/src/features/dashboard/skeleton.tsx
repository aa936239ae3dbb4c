// The shapes of what is on its way, in its places: nothing jumps when it arrives.
const HEIGHTS = [38, 52, 46, 60, 41, 20, 24]
const BARS = 30

export function RunwaySkeleton() {
  return (
    <div className="runway" aria-busy="true">
      <span className="bone" style={{ width: "36%" }} />
      <span className="bone mt-5" style={{ width: "24%", height: 24 }} />
    </div>
  )
}

export function TilesSkeleton() {
  return (
    <div className="strip" aria-busy="true">
      {[0, 1, 2, 3].map((tile) => (
        <div key={tile} className="bones">
          <span className="bone" style={{ width: "40%" }} />
          <span className="bone" style={{ width: "60%", height: 18 }} />
          <span className="bone" style={{ width: "50%" }} />
        </div>
      ))}
    </div>
  )
}

export function ChartSkeleton() {
  return (
    <div className="chart-bones" aria-busy="true">
      {Array.from({ length: BARS }, (_, bar) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars of a skeleton never move
        <span key={bar} className="bone" style={{ height: `${HEIGHTS[bar % HEIGHTS.length]}%` }} />
      ))}
    </div>
  )
}
