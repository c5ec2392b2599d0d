// What values an expression can take, by interval arithmetic.
#include <algorithm>

#include "graph/dim.h"

namespace lanthorn {
namespace {

using Bound = std::optional<int64_t>;

Bound added(Bound a, Bound b) {
  int64_t sum = 0;
  return a && b && !__builtin_add_overflow(*a, *b, &sum) ? Bound(sum) : std::nullopt;
}

Bound times(Bound a, Bound b) {
  int64_t result = 0;
  return a && b && !__builtin_mul_overflow(*a, *b, &result) ? Bound(result) : std::nullopt;
}

DimRange scaled(const DimRange& range, int64_t by) {
  if (by >= 0) return {times(range.low, by), times(range.high, by)};
  return {times(range.high, by), times(range.low, by)};
}

// Only for ranges that are not negative; others give no bounds.
DimRange multiplied(const DimRange& a, const DimRange& b) {
  if (!a.low || !b.low || *a.low < 0 || *b.low < 0) return {};
  return {times(a.low, b.low), times(a.high, b.high)};
}

int64_t floored(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-(a + 1)) / b) - 1; }

DimRange quotient(const DimRange& a, const Dim& divisor) {
  const Bound by = divisor.known();
  if (by && *by > 0) {
    return {a.low ? Bound(floored(*a.low, *by)) : std::nullopt,
            a.high ? Bound(floored(*a.high, *by)) : std::nullopt};
  }
  const DimRange by_range = range_of(divisor);
  if (a.low && *a.low >= 0 && by_range.low && *by_range.low >= 0) return {0, a.high};
  return {};
}

Bound larger(Bound a, Bound b) { return a && b ? Bound(std::max(*a, *b)) : a ? a : b; }
Bound smaller(Bound a, Bound b) { return a && b ? Bound(std::min(*a, *b)) : a ? a : b; }
Bound both(Bound a, Bound b, bool larger) {
  if (!a || !b) return std::nullopt;
  return larger ? std::max(*a, *b) : std::min(*a, *b);
}

DimRange range_of_atom(const DimAtom& atom) {
  switch (atom.kind) {
    case DimAtom::Kind::kSymbol:
      return {0, Dim::kMaxSize};
    case DimAtom::Kind::kUnknown:
      return {};
    case DimAtom::Kind::kFloorDiv:
      return quotient(range_of(atom.args[0]), atom.args[1]);
    case DimAtom::Kind::kMod: {
      const DimRange by = range_of(atom.args[1]);
      if (!by.low || *by.low < 0) return {};
      return {0, added(by.high, -1)};
    }
    case DimAtom::Kind::kMax: {
      const DimRange a = range_of(atom.args[0]), b = range_of(atom.args[1]);
      return {larger(a.low, b.low), both(a.high, b.high, true)};
    }
    case DimAtom::Kind::kMin: {
      const DimRange a = range_of(atom.args[0]), b = range_of(atom.args[1]);
      return {both(a.low, b.low, false), smaller(a.high, b.high)};
    }
  }
  return {};
}

}  // namespace

DimRange range_of(const Dim& dim) {
  if (dim.is_known()) return {dim.value(), dim.value()};
  DimRange sum{0, 0};
  for (const DimTerm& term : dim.terms()->terms) {
    DimRange range{1, 1};
    if (term.factors.size() == 1) {
      range = range_of_atom(*term.factors[0]);
    } else {
      for (const auto& factor : term.factors) range = multiplied(range, range_of_atom(*factor));
    }
    range = scaled(range, term.coefficient);
    sum = {added(sum.low, range.low), added(sum.high, range.high)};
  }
  return sum;
}

}  // namespace lanthorn
