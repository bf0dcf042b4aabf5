#pragma once
#include <string>
#include <vector>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// `of` of each of a list: columns of a record.
template <class Item, class Of>
Eigen::ArrayXd numbers_of(const std::vector<Item>& items, const Of& of) {
  Eigen::ArrayXd values(std::ssize(items));
  for (std::size_t i = 0; i < items.size(); ++i)
    values[static_cast<Eigen::Index>(i)] = of(items[i]);
  return values;
}
template <class Item, class Of>
std::vector<std::string> texts_of(const std::vector<Item>& items, const Of& of) {
  std::vector<std::string> values;
  for (const Item& item : items) values.push_back(of(item));
  return values;
}

}  // namespace riskcurve
