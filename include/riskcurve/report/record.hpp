#pragma once
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

struct Field;

/// A named result in the order it is to be read: what a command has found, before any format.
/// The three formats of `write.hpp` are views of it.
class Record {
 public:
  using Value =
      std::variant<std::nullptr_t, bool, long, double, std::string, std::vector<std::string>,
                   Eigen::ArrayXd, Eigen::ArrayXXd, Record, std::vector<Record>>;

  void set(const std::string& name, Value value);
  /// A value per row (per recorded step, per eigenvalue): what CSV and the terminal table show.
  /// `values` is an array of shape (rows), or (rows, n) for n columns name_1..name_n, or a list of
  /// texts. All columns of a record share their number of rows; throws std::logic_error otherwise.
  void column(const std::string& name, Value values);

  const std::vector<Field>& fields() const { return fields_; }
  /// The field called `name`, or nullptr.
  const Field* find(const std::string& name) const;

 private:
  std::vector<Field> fields_;
};

struct Field {
  std::string name;
  Record::Value value;
  bool is_column = false;
};

}  // namespace riskcurve
