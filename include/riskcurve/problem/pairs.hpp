#pragma once
#include <cmath>
#include <optional>
#include <utility>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// rows columns^T
struct Product {
  Eigen::ArrayXd rows, columns;
};

/// A number x_ij of each pair of nodes of two sides: a product of the sides, which costs no more
/// than these, or entries of their own.
class Pairs {
 public:
  Pairs() = default;
  Pairs(Product product) : product_(std::move(product)) {}
  Pairs(Eigen::ArrayXXd entries) : entries_(std::move(entries)) {}
  template <class Derived>
  Pairs(const Eigen::DenseBase<Derived>& entries) : entries_(entries.derived()) {}

  /// Empty where they are held one by one, be they a product or not.
  const std::optional<Product>& product() const { return product_; }
  /// One by one.
  Eigen::ArrayXXd entries() const {
    if (!product_) return entries_;
    Eigen::ArrayXXd all(rows(), cols());
    all.matrix().noalias() = product_->rows.matrix() * product_->columns.matrix().transpose();
    return all;
  }
  double operator()(Eigen::Index i, Eigen::Index j) const {
    return product_ ? product_->rows[i] * product_->columns[j] : entries_(i, j);
  }
  Eigen::Index rows() const { return product_ ? product_->rows.size() : entries_.rows(); }
  Eigen::Index cols() const { return product_ ? product_->columns.size() : entries_.cols(); }
  Eigen::Index size() const { return rows() * cols(); }

  /// sum_j x_ij weight_j, and sum_i weight_i x_ij.
  Eigen::ArrayXd over_columns(const Eigen::ArrayXd& weight) const {
    if (product_) return product_->rows * (product_->columns * weight).sum();
    return (entries_.matrix() * weight.matrix()).array();
  }
  Eigen::ArrayXd over_rows(const Eigen::ArrayXd& weight) const {
    if (product_) return product_->columns * (product_->rows * weight).sum();
    return (entries_.matrix().transpose() * weight.matrix()).array();
  }
  /// Whether all are finite and none is negative.
  bool valid() const {
    const auto fine = [](const auto& x) { return x.isFinite().all() && (x >= 0).all(); };
    if (!product_) return fine(entries_);
    const auto& [of_rows, of_columns] = *product_;
    return fine(of_rows) && fine(of_columns) &&
           std::isfinite(of_rows.maxCoeff() * of_columns.maxCoeff());
  }
  Pairs transpose() const {
    if (product_) return Product{product_->columns, product_->rows};
    return Eigen::ArrayXXd(entries_.transpose());
  }
  bool operator==(const Pairs& other) const {
    if (rows() != other.rows() || cols() != other.cols()) return false;
    const bool same_sides = product_ && other.product_ &&
                            (product_->rows == other.product_->rows).all() &&
                            (product_->columns == other.product_->columns).all();
    return same_sides || (entries() == other.entries()).all();
  }

 private:
  std::optional<Product> product_;
  Eigen::ArrayXXd entries_;
};

}  // namespace riskcurve
