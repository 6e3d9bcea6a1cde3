/** Reads a Dockerfile: instructions, stages, and what is in the last of them. */

export interface Instruction {
  /** In capitals, such as `RUN`. */
  readonly name: string
  readonly text: string
}

export interface Stage {
  /** The base image. */
  readonly image: string
  /** What other stages call it. */
  readonly alias: string | undefined
  readonly instructions: ReadonlyArray<Instruction>
}

export interface Copy {
  /** The stage that it is taken from; `undefined` for the build's context. */
  readonly from: string | undefined
  readonly sources: ReadonlyArray<string>
  readonly target: string
}

export const read = (text: string): ReadonlyArray<Stage> => {
  const stages: Array<Stage & { readonly instructions: Array<Instruction> }> = []
  for (const instruction of instructions(text)) {
    if (instruction.name !== "FROM") stages.at(-1)?.instructions.push(instruction)
    else {
      const [image = "", , alias] = instruction.text.split(/\s+/)
      stages.push({ image, alias, instructions: [] })
    }
  }
  return stages
}

/** What stands behind an instruction, each time it is there. */
export const all = (stage: Stage, name: string): ReadonlyArray<string> =>
  stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text)

/** What stands behind the last instruction of a name, which is the one that counts. */
export const last = (stage: Stage, name: string): string => all(stage, name).at(-1) ?? ""

export const copies = (stage: Stage): ReadonlyArray<Copy> =>
  all(stage, "COPY").map((text) => {
    const words = text.split(/\s+/)
    const [flag, from] = words[0]?.split("=") ?? []
    const paths = flag === "--from" ? words.slice(1) : words
    return { from: flag === "--from" ? from : undefined, sources: paths.slice(0, -1), target: paths.at(-1) ?? "" }
  })

/** The variables of a stage. */
export const environment = (stage: Stage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    all(stage, "ENV").flatMap((text) =>
      Array.from(text.matchAll(/(\w+)=(\S+)/g), ([, name = "", value = ""]) => [name, value])
    )
  )

/** Whether an ignore file lets a path of the context's root through: the last pattern that fits it decides. */
export const isInContext = (ignore: string, path: string): boolean => {
  const patterns = ignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  const deciding = patterns.findLast((pattern) => pattern === "*" || pattern.replace("!", "") === path)
  return deciding === undefined || deciding.startsWith("!")
}

// A comment line may stand within a continued instruction.
const instructions = (text: string): ReadonlyArray<Instruction> =>
  text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { name, text: rest.trim() }
    })
