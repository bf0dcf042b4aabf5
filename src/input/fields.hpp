#pragma once
#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// A table of a problem file (TOML), read field by field. Every read remembers its key, so that
/// `reject_unknown` can name a key nobody asked for; every error names the full dotted path.
/// Copies share one table (and one memory of what was read).
class Fields {
 public:
  Fields();  ///< an empty table
  /// Reads a TOML file / text. Throws InputError with file, line and column when it does not parse.
  static Fields from_file(const std::string& path);
  static Fields from_text(const std::string& text, const std::string& name = "text");

  bool has(const std::string& key) const;
  bool is_table(const std::string& key) const;
  bool is_array(const std::string& key) const;
  bool is_string(const std::string& key) const;

  /// Required reads; each throws InputError for a missing key, a wrong type, or a value out of
  /// range. Numbers accept TOML integers, and reject nan and inf.
  double number(const std::string& key, const Range& range = Range::any()) const;
  double integer(const std::string& key, const Range& range = Range::any()) const;
  bool boolean(const std::string& key) const;
  std::string text(const std::string& key) const;
  std::string one_of(const std::string& key, const std::vector<std::string>& choices) const;
  std::vector<double> numbers(const std::string& key, const Range& range = Range::any()) const;
  std::vector<Cell> cells(const std::string& key) const;  ///< an array of numbers, or of texts
  /// An array of rows of numbers; an array of numbers is a column.
  Eigen::MatrixXd matrix(const std::string& key) const;
  Fields table(const std::string& key) const;
  std::vector<Fields> tables(const std::string& key) const;

  /// The same with a value for a missing key.
  double number_or(const std::string& key, double otherwise,
                   const Range& range = Range::any()) const;
  double integer_or(const std::string& key, double otherwise,
                    const Range& range = Range::any()) const;
  bool boolean_or(const std::string& key, bool otherwise) const;
  std::string text_or(const std::string& key, const std::string& otherwise) const;

  /// A file named by `key`, taken relative to the folder of the problem file.
  std::string path(const std::string& key) const;

  /// Full dotted name of a key, as errors print it ("problem.covariance.alpha").
  std::string name(const std::string& key) const;
  /// Throws InputError naming the first key, here or below, that no read has asked for, with the
  /// keys that were asked for beside it. Tables named in `leave` are not looked into.
  void reject_unknown(const std::vector<std::string>& leave = {}) const;
  /// A table of its own, at first with the same fields, none of them read yet.
  Fields copy() const;
  /// Sets (or adds) a field by dotted key relative to this table ("covariance.alpha").
  void set(const std::string& dotted, double value);
  void set(const std::string& dotted, const std::string& value);
  void erase(const std::string& key);  ///< takes a key of this table away, if it is there
  /// The tables of `other` over those of this one: each of their keys replaces the one here, whole.
  void lay_over(const Fields& other);
  std::string to_toml() const;
  /// An InputError about `key` with its value as written.
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  struct Node;
  std::shared_ptr<Node> node_;
};

}  // namespace riskcurve
