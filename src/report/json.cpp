#include <cmath>
#include <nlohmann/json.hpp>

#include "report/ticker.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve {
namespace {

using Json = nlohmann::ordered_json;

double numbers_in(const Record& record) {
  double count = 0;
  for (const Field& field : record.fields()) {
    if (const auto* vector = std::get_if<Eigen::ArrayXd>(&field.value))
      count += static_cast<double>(vector->size());
    else if (const auto* matrix = std::get_if<Eigen::ArrayXXd>(&field.value))
      count += static_cast<double>(matrix->size());
    else if (const auto* inner = std::get_if<Record>(&field.value))
      count += numbers_in(*inner);
    else if (const auto* list = std::get_if<std::vector<Record>>(&field.value))
      for (const Record& each : *list) count += numbers_in(each);
  }
  return count;
}

/// Appends a value. Arrays are written number by number: a tree of a million of them is slow and
/// large.
struct ToJson {
  std::string& text;
  Ticker& ticker;

  void operator()(const Record& record) const {
    text += '{';
    bool first = true;
    for (const Field& field : record.fields()) {
      if (!first) text += ',';
      first = false;
      (*this)(field.name);
      text += ':';
      std::visit(*this, field.value);
    }
    text += '}';
  }
  void operator()(const std::vector<Record>& records) const {
    list(std::ssize(records),
         [&](Eigen::Index i) { (*this)(records[static_cast<std::size_t>(i)]); });
  }
  void operator()(const Eigen::ArrayXXd& x) const {
    list(x.rows(),
         [&](Eigen::Index i) { list(x.cols(), [&](Eigen::Index j) { number(x(i, j)); }); });
  }
  void operator()(const Eigen::ArrayXd& x) const {
    list(x.size(), [&](Eigen::Index i) { number(x[i]); });
  }
  template <class T>
  void operator()(const T& plain) const {
    text += Json(plain).dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  template <class Item>
  void list(Eigen::Index size, const Item& item) const {
    text += '[';
    for (Eigen::Index i = 0; i < size; ++i) {
      if (i > 0) text += ',';
      item(i);
    }
    text += ']';
  }
  void number(double x) const {
    ticker.tick();
    char buffer[64];
    if (std::isfinite(x))  // as Json::dump writes it
      text.append(buffer, nlohmann::detail::to_chars(buffer, buffer + sizeof buffer, x));
    else
      text += "null";
  }
};

}  // namespace

std::string to_json(const Record& record, const std::function<bool(double fraction)>& progress) {
  std::string text;
  Ticker ticker(progress, numbers_in(record));
  ToJson{text, ticker}(record);
  return text;
}

}  // namespace riskcurve
