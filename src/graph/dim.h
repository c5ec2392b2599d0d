#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace lanthorn {

/// A dimension, or an integer computed from dimensions: a known number, or an expression over named
/// symbols ("batch", "height") that are known only when the model runs. Expressions are kept as
/// polynomials with integer coefficients over symbols and opaque terms (floor_div, mod, max, min),
/// so that equal ones compare equal. All arithmetic is on mathematical integers; an overflow of
/// 64 bits or an expression that grows beyond kMaxTerms becomes a fresh unknown.
class Dim {
 public:
  static constexpr size_t kMaxTerms = 64;
  /// The most atoms in one expression, those inside of functions too; beyond, it is an unknown.
  static constexpr uint32_t kMaxWeight = 512;
  /// What any size is assumed to stay below, so that a clamp by 2^63 - 1 is seen to do nothing.
  static constexpr int64_t kMaxSize = int64_t{1} << 48;

  Dim() = default;                                  // 0
  Dim(int64_t value) : value_(value) {}             // NOLINT(google-explicit-constructor)
  /// A named symbol, a size >= 0. The same name is the same symbol.
  static Dim symbol(std::string name);
  /// A number of which nothing is known; equal to itself only.
  static Dim unknown();

  bool is_known() const { return !terms_; }
  /// The number; only if known (checked).
  int64_t value() const;
  std::optional<int64_t> known() const { return is_known() ? std::optional(value_) : std::nullopt; }
  bool is(int64_t number) const { return is_known() && value_ == number; }
  /// A lone symbol's name, else empty.
  std::string symbol_name() const;
  /// Names of all symbols in it.
  std::set<std::string> symbols() const;
  /// "3", "batch", "2*height + 1", "floor_div(h, 2)".
  std::string text() const;
  /// The value with every symbol replaced by what `lookup` says; symbols it does not know stay.
  Dim substitute(const std::function<std::optional<Dim>(const std::string&)>& lookup) const;

  struct Terms;  // the polynomial; dim.cpp, dim_emit.h
  const std::shared_ptr<const Terms>& terms() const { return terms_; }
  static Dim from_terms(std::shared_ptr<const Terms> terms);

  friend bool operator==(const Dim& a, const Dim& b);
  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);

 private:
  int64_t value_ = 0;
  std::shared_ptr<const Terms> terms_;  // null where the number is known
};

/// Rounds toward minus infinity, as Python's //. Division by zero gives an unknown.
Dim floor_div(const Dim& a, const Dim& b);
Dim ceil_div(const Dim& a, const Dim& b);
/// Has the sign of b, as Python's %.
Dim mod(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim product(std::span<const Dim> dims);
/// a / b where it is known to leave no remainder for all values of the symbols, else nothing.
std::optional<Dim> exact_div(const Dim& a, const Dim& b);

/// What a dimension can be: bounds that hold for all sizes of the symbols; absent where unknown.
struct DimRange {
  std::optional<int64_t> low, high;
};
DimRange range_of(const Dim& dim);

using Dims = std::vector<Dim>;
/// "[batch, 3, 224, 224]"
std::string dims_text(std::span<const Dim> dims);
bool all_known(std::span<const Dim> dims);

/// One factor of a product: a symbol, or a function of other dimensions.
struct DimAtom {
  enum class Kind : uint8_t { kSymbol, kUnknown, kFloorDiv, kMod, kMax, kMin };
  Kind kind = Kind::kSymbol;
  std::string name;       // kSymbol
  uint64_t unknown_id = 0;
  std::vector<Dim> args;  // two, for functions
  uint32_t weight = 1;    // atoms in it, itself included
};

struct DimTerm {
  int64_t coefficient = 0;
  std::vector<std::shared_ptr<const DimAtom>> factors;  // sorted; empty for the constant term
};

/// A sum of terms in a canonical order.
struct Dim::Terms {
  std::vector<DimTerm> terms;
};

}  // namespace lanthorn
