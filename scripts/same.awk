# Compares two texts that the command wrote: awk -f scripts/same.awk EXPECTED ACTUAL
# What is not a number must agree exactly, but for the width of blanks. Of numbers,
#   whole ones must agree (counts of work - solves, steps of the integrator - to 2 and a tenth);
#   others may differ by 1e-6 of them, or in the last printed place (by one, by two from five digits on);
#   Monte Carlo columns (mean, differences, bands; gap, s.e. of the validation table) may differ by
#   four standard errors, which themselves may be half or twice as large.
# With -v rows=1 every row of ACTUAL's Markdown tables must be a row of EXPECTED, by its heading and first cell.
# Prints the lines that differ; exit code 1 if there are any.

function abs(x) { x += 0; return x < 0 ? -x : x }
function larger(x, y) { return x + 0 > y + 0 ? x + 0 : y + 0 }
function flat(text) { gsub(/[ \t]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text); return text }
function whole(text) { return text !~ /[.eE]/ }

# text = piece[0] number[1] piece[1] ... number[n] piece[n]; returns n.
function parse(text, piece, number,    n, before, sign) {
  n = 0
  piece[0] = ""
  while (match(text, /[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) {
    before = piece[n] substr(text, 1, RSTART - 1)
    sign = ""
    if (before ~ /(^|[ |(,:])[-+]$/) {
      sign = substr(before, length(before))
      before = substr(before, 1, length(before) - 1)
    }
    piece[n] = before
    number[++n] = sign substr(text, RSTART, RLENGTH)
    text = substr(text, RSTART + RLENGTH)
    piece[n] = ""
  }
  piece[n] = piece[n] text
  return n
}

function digits(text) { sub(/[eE].*/, "", text); gsub(/[-+.]/, "", text); sub(/^0+/, "", text); return length(text) }
# One unit in the last printed place.
function unit(text,    power, at) {
  power = 0
  if (match(text, /[eE]/)) { power = substr(text, RSTART + 1) + 0; text = substr(text, 1, RSTART - 1) }
  at = index(text, ".")
  return 10 ^ (at ? power - (length(text) - at) : power)
}

function printed(x, y,    places) {  # how far two printings of one number may be apart
  places = larger(digits(x), digits(y)) >= 5 ? 2 : 1
  return 1.000001 * larger(1e-6 * larger(abs(x + 0), abs(y + 0)),
                           places * (unit(x) < unit(y) ? unit(x) : unit(y)))
}

function near(x, y, work) {
  if (x == y) return 1
  if (whole(x) && whole(y)) return work && abs(x - y) <= 2 + 0.1 * abs(x)
  # Estimates of rounding errors.
  if (x * y > 0 && abs(x) < 1e-9 && abs(y) < 1e-9) return abs(x) <= 10 * abs(y) && abs(y) <= 10 * abs(x)
  return abs(x - y) <= printed(x, y)
}

# Texts without Monte Carlo; `slack`: numbers may differ by as much.
function same(expected, actual, slack,    n, i, work) {
  if (expected == actual) return 1
  n = parse(expected, piece_e, number_e)
  if (parse(actual, piece_a, number_a) != n) return 0
  for (i = 0; i <= n; ++i)
    if (flat(piece_e[i]) != flat(piece_a[i])) return 0
  work = expected ~ /solves?\)|steps of the exponential integrator/
  for (i = 1; i <= n; ++i)
    if (!near(number_e[i], number_a[i], work) && !(abs(number_e[i] - number_a[i]) <= slack)) return 0
  return 1
}

function blank(cell) { return cell !~ /[0-9]/ }
function doubled(e, a) { return e == a || (e > 0 && a > 0 && a <= 2 * e + unit(e) && 2 * a + unit(a) >= e) }
# Percent of n runs: four standard errors, of at least one run.
function of_runs(percent, n,    share) {
  share = percent / 100
  return n > 0 ? 400 * sqrt(larger(share * (1 - share), 1 / n) / n) : 0
}

# One cell; error_e, error_a: standard error in this row, percent_e that in percent of the prediction.
function same_cell(name, e, a,    n, i) {
  if (e == a) return 1
  if (blank(e) || blank(a)) return 0
  if (name ~ /^mean/) return abs(e - a) <= 4 * error_e + printed(e, a)
  if (name == "standard error" || name == "s.e. %") return doubled(e + 0, a + 0)
  if (name == "difference/s.e.")
    return abs(e * error_e - a * error_a) <= 4 * error_e + 0.01 * (error_e * (1 + abs(e)) + error_a * abs(a))
  if (name == "difference %") return abs(e - a) <= 4 * percent_e + 0.002
  if (name == "inside %" || name == "in band %") return abs(e - a) <= of_runs(e, runs)
  if (name == "gap %") return abs(e - a) <= 4 * error_e + 0.02
  if (name == "largest, in s.e.") return abs(e - a) <= 4 + 0.1 * abs(e)
  if (name == "gap % at smaller d") return same(e, a, 32 * error_e + 0.02)
  if (name == "in runs") {
    n = parse(e, piece_e, number_e)
    if (n != 2 || parse(a, piece_a, number_a) != 2 || piece_e[1] != piece_a[1]) return 0
    return abs(number_e[1] - number_a[1]) <= 4 * number_e[2] + printed(number_e[1], number_a[1]) &&
           doubled(number_e[2], number_a[2])
  }
  if (name == "bias % at each size") return same(e, a, 1)
  if (name == "p of bias ~ d^-p") {
    n = parse(e, piece_e, number_e)
    return n == 3 ? same(e, a, 2 * abs(number_e[3] - number_e[2])) : same(e, a, 0)
  }
  if (name == "evaluations") return near(e, a, 1)
  return same(e, a, 0)
}

function same_row(cells_e, cells_a, count,    i) {
  error_e = error_a = percent_e = 0
  predicted = 0
  for (i = 1; i <= count; ++i) {
    if (column[i] == "standard error" || column[i] == "s.e. %") { error_e = cells_e[i] + 0; error_a = cells_a[i] + 0 }
    if (column[i] ~ /^predicted/) predicted = cells_e[i] + 0
    if (column[i] == "runs") runs = cells_e[i] + 0
  }
  if (predicted) percent_e = 100 * error_e / abs(predicted)
  worst_percent = larger(worst_percent, percent_e)
  for (i = 1; i <= count; ++i)
    if (!same_cell(column[i], cells_e[i], cells_a[i])) { what = column[i]; return 0 }
  return 1
}

function cells(line, cell,    n, i) {
  if (line ~ /^\|/) {
    sub(/^\|/, "", line); sub(/\|$/, "", line)
    n = split(line, cell, /\|/)
  } else {
    sub(/^ +/, "", line)
    sub(/ +$/, "", line)
    n = split(line, cell, /   */)
  }
  for (i = 1; i <= n; ++i) cell[i] = flat(cell[i])
  return n
}

# Takes the columns from line i of lines, if they are ones that are known.
function header(lines, i, count,    n, k, known) {
  if (lines[i] ~ /^\|/) {
    if (i == count || lines[i + 1] !~ /^\|-/) return 0
    columns = cells(lines[i], column)
    return 1
  }
  n = cells(lines[i], found)
  for (k = 1; k <= n; ++k)
    if (found[k] == "standard error" || found[k] == "evaluations") known = 1
  if (!known) return 0
  columns = n
  for (k = 1; k <= n; ++k) column[k] = found[k]
  worst_percent = 0
  runs = 0
  for (k = i + 1; k <= count && lines[k] !~ /^\$/; ++k)
    if (lines[k] ~ /^[0-9]+ runs, seed/) { runs = lines[k] + 0; break }
  return 1
}

function same_line(e, a,    n) {
  what = ""
  if (flat(e) == "" || e ~ /^```/) columns = 0
  if (columns > 0) {
    n = cells(e, cell_e)
    if (n == columns && cells(a, cell_a) == n) return same_row(cell_e, cell_a, n)
  }
  if (e ~ /^largest difference:/) {
    n = parse(e, piece_e, number_e)
    if (n < 1 || parse(a, piece_a, number_a) != n) return 0
    if (abs(number_e[1] - number_a[1]) > 4 * worst_percent + 0.002) return 0
    return same(e, a, n == 1 ? 4 * worst_percent + 0.002 : larger(abs(number_e[1] - number_a[1]), 4 + 0.1 * number_e[2]))
  }
  if (e ~ /of the runs inside the 95 % band/) return same(e, a, of_runs(e + 0, runs))
  return same(e, a, 0)
}

function differ(where, e, a) {
  print where (what ? " (" what ")" : "") ":\n  expected: " e "\n  found:    " a
  failed = 1
}

FNR == 1 { ++file }
file == 1 { expected[++lines_e] = $0 }
file == 2 { actual[++lines_a] = $0 }

END {
  if (file != 2) { print "same.awk: needs two files that are not empty"; exit 2 }
  if (rows) {
    heading = ""
    for (i = 1; i <= lines_e; ++i) {
      if (expected[i] ~ /^#/) heading = expected[i]
      if (expected[i] ~ /^\|/ && cells(expected[i], cell_e)) partner[heading, cell_e[1]] = expected[i]
    }
    for (i = 1; i <= lines_a; ++i) {
      if (actual[i] ~ /^#/) heading = actual[i]
      if (actual[i] !~ /^\|/) { columns = 0; continue }
      cells(actual[i], cell_a)
      if (header(actual, i, lines_a)) what = ""
      if (!((heading, cell_a[1]) in partner)) differ(heading, "a row of this name", actual[i])
      else if (!same_line(partner[heading, cell_a[1]], actual[i])) differ(heading, partner[heading, cell_a[1]], actual[i])
    }
    exit failed
  }
  for (i = 1; i <= lines_e && i <= lines_a; ++i) {
    header(expected, i, lines_e)
    if (same_line(expected[i], actual[i])) continue
    differ("line " i, expected[i], actual[i])
    if (lines_e != lines_a) break
  }
  if (lines_e != lines_a) { print lines_e " lines expected, " lines_a " found"; failed = 1 }
  exit failed
}
