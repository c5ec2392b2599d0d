#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// What goes into and comes out of a model: a tensor, a sequence, a map, an absent optional, or a
/// plain number, bool or string of a program's signature. Copies share.
class Value {
 public:
  struct None {};
  using Sequence = std::vector<Value>;
  using Map = std::vector<std::pair<Value, Value>>;  // in order of insertion

  Value() = default;
  Value(Tensor tensor) : state_(std::move(tensor)) {}          // NOLINT(google-explicit-constructor)
  Value(std::string text) : state_(std::move(text)) {}         // NOLINT(google-explicit-constructor)
  explicit Value(int64_t number) : state_(number) {}
  explicit Value(double number) : state_(number) {}
  explicit Value(bool flag) : state_(flag) {}
  static Value sequence(Sequence items);
  static Value map(Map entries);

  bool is_none() const { return std::holds_alternative<None>(state_); }
  const Tensor* tensor() const { return std::get_if<Tensor>(&state_); }
  const Sequence* sequence() const;
  const Map* map() const;
  const std::string* text() const { return std::get_if<std::string>(&state_); }
  const int64_t* integer() const { return std::get_if<int64_t>(&state_); }
  const double* real() const { return std::get_if<double>(&state_); }
  const bool* flag() const { return std::get_if<bool>(&state_); }

 private:
  std::variant<None, Tensor, std::string, int64_t, double, bool, std::shared_ptr<const Sequence>,
               std::shared_ptr<const Map>>
      state_;
};

struct NamedValue {
  std::string name;
  Value value;
};

}  // namespace lanthorn
