// Plain words for what the library says.

export const labelOfSide = (side, sides, name) => (sides.length > 1 ? `${side.toUpperCase()}: ${name}` : name);

const PLAIN = [
  [/^intrinsic dimension/, "Few directions carry most of the variance of the data: single runs will scatter widely around the curve."],
  [/directions share the initial risk/, "Only a few directions share what is to be learned: single runs will scatter widely around the curve."],
  [/too large for a continuous-time limit, solved step by step/, "Steps are large, so the curve was solved step by step instead of in continuous time. That is exact in the step size."],
  [/too large for a continuous-time limit/, "Steps are too large for the theory in continuous time: take a smaller one, or doubt the curve."],
  [/times the sampling noise of the gradient/, "The batch is so large, or the target of so low a rank, that the gradient is more signal than noise: real runs learn more slowly than this curve."],
  [/singular directions/, "What is to be learned has very low rank: real runs part from this curve."],
  [/filtered gradient/, "Batch and momentum together leave more signal than noise in the filtered gradient: the curve is too optimistic about the sign."],
  [/exceeds the largest stable step/, "This step is too large: the risk grows instead of falling."],
  [/^no bands/, "The spread of single runs is not known here."],
  [/finite variance/, "With noise of infinite variance this optimizer's risk is infinite after one step. Choose another optimizer or another noise."],
];
export const plainWarning = (line) => PLAIN.find(([pattern]) => pattern.test(line))?.[1] ?? "The library notes:";

const MISSED = {
  intrinsic_dimension: "few directions carry the variance",
  participation: "few directions share the risk",
  step_rate: "steps too large for continuous time",
  signal: "more signal than noise in the gradient",
  rank: "target of low rank",
  filtered_signal: "more signal than noise after the filter",
};
/** Of "participation step_rate". */
export const plainUntrusted = (text) => text.split(" ").filter(Boolean).map((name) => MISSED[name] ?? name).join("; ");
