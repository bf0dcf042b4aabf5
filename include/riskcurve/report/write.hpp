#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/report/record.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// One JSON object on one line. Numbers are the shortest text that reads back to the same double;
/// nan and inf, which JSON lacks, become null. A matrix is an array of its rows. `progress`, here
/// and below, is called now and then where there is much to write; where it answers false, Failure.
std::string to_json(const Record& record,
                    const std::function<bool(double fraction)>& progress = {});

/// The columns of the record, and of the records in it, under one header line; numbers read back
/// to the same double, with nan and inf spelled out.
std::string to_csv(const Record& record, const std::function<bool(double fraction)>& progress = {});

/// A NumPy archive (stored zip of .npy version 1.0): numbers as float64, int64 or bool, text as
/// bytes, nested names joined by a dot; what is null is left out.
/// Throws Failure beyond the 4 GiB that the format holds.
std::string to_npz(const Record& record);

/// A column of the table a person reads: its heading, the column of the record, and the format
/// of a number, as in fmt ("{:.6g}"). A nan is printed as "-", a text as it is.
struct Heading {
  std::string title, field, format = "{:.6g}";
};
/// Right-aligned under the headings; headings whose field is missing are left out. A dotted field
/// looks into a nested record.
std::string to_table(const Record& record, const std::vector<Heading>& headings);

/// Writes the record in the format that the extension names: .csv, .json or .npz.
void save(const Record& record, const std::string& path,
          const std::function<bool(double fraction)>& progress = {});

/// Throws InputError naming `option` unless the extension of `path` is one of `extensions` and its
/// folder exists: to be called before any work is done.
void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& extensions);

}  // namespace riskcurve
