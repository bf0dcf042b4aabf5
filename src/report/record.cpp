#include "riskcurve/report/record.hpp"

#include <stdexcept>
#include <utility>

namespace riskcurve {
namespace {

Eigen::Index rows(const Record::Value& value) {
  if (const auto* vector = std::get_if<Eigen::ArrayXd>(&value)) return vector->size();
  if (const auto* matrix = std::get_if<Eigen::ArrayXXd>(&value)) return matrix->rows();
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
    return static_cast<Eigen::Index>(texts->size());
  throw std::logic_error("a column holds an array, or texts");
}

}  // namespace

void Record::set(const std::string& name, Value value) {
  fields_.push_back({name, std::move(value), false});
}

void Record::column(const std::string& name, Value values) {
  for (const Field& field : fields_) {
    if (field.is_column && rows(field.value) != rows(values)) {
      throw std::logic_error("column " + name + " is not as long as " + field.name);
    }
  }
  fields_.push_back({name, std::move(values), true});
}

const Field* Record::find(const std::string& name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace riskcurve
