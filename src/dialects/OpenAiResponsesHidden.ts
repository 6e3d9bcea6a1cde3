/** What the client does not see of a stream of OpenAI Responses. */
import * as Json from "../domain/Json.ts"
import * as JsonEdit from "./JsonEdit.ts"

/** Items of a stream, known by their place, or by their id where a vendor says no place. */
export class HiddenItems {
  private readonly places = new Set<number>()
  private readonly ids = new Set<string | undefined>()

  get isEmpty(): boolean {
    return this.places.size === 0 && this.ids.size === 0
  }

  /** Takes the item that an event is about. */
  add(event: unknown): void {
    const place = Json.member(event, "output_index")
    if (typeof place === "number") this.places.add(place)
    const id = idOf(event)
    if (id !== undefined) this.ids.add(id)
  }

  /** Whether an event is about such an item. */
  has(event: unknown): boolean {
    const place = Json.member(event, "output_index")
    return typeof place === "number" ? this.places.has(place) : this.ids.has(idOf(event))
  }

  /** What makes an event about another item one of what the client sees. */
  changes(event: unknown): ReadonlyArray<JsonEdit.Change> {
    const place = Json.member(event, "output_index")
    if (typeof place !== "number") return []
    const before = Array.from(this.places).filter((hidden) => hidden < place).length
    return before === 0 ? [] : [JsonEdit.set(["output_index"], place - before)]
  }
}

const idOf = (event: unknown): string | undefined =>
  Json.string(Json.member(event, "item_id") ?? Json.member(Json.member(event, "item"), "id"))
