#include "graph/dim.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/check.h"
#include "graph/dim_terms.h"

namespace lanthorn {

using dim_terms::compare;

namespace {

using Factors = std::vector<std::shared_ptr<const DimAtom>>;

Dim of_atom(DimAtom atom) {
  auto terms = std::make_shared<Dim::Terms>();
  terms->terms.push_back({1, {std::make_shared<const DimAtom>(std::move(atom))}});
  return Dim::from_terms(std::move(terms));
}

Dim of_function(DimAtom::Kind kind, const Dim& a, const Dim& b) {
  DimAtom atom{kind, "", 0, {a, b}, 1};
  for (const Dim& arg : atom.args) atom.weight += dim_terms::weight(arg);
  if (atom.weight > Dim::kMaxWeight) return Dim::unknown();
  return of_atom(std::move(atom));
}

// The sum of a and scale * b; both sorted.
std::optional<std::vector<DimTerm>> add_scaled(const std::vector<DimTerm>& a,
                                               const std::vector<DimTerm>& b, int64_t scale) {
  std::vector<DimTerm> sum;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    const int order = i == a.size() ? 1 : j == b.size() ? -1 : compare(a[i].factors, b[j].factors);
    if (order < 0) {
      sum.push_back(a[i++]);
      continue;
    }
    int64_t coefficient = 0;
    if (__builtin_mul_overflow(b[j].coefficient, scale, &coefficient)) return std::nullopt;
    if (order == 0 && __builtin_add_overflow(coefficient, a[i++].coefficient, &coefficient))
      return std::nullopt;
    if (coefficient != 0) sum.push_back({coefficient, b[j].factors});
    ++j;
  }
  return sum;
}

Dim from_vector(std::optional<std::vector<DimTerm>> terms) {
  if (!terms) return Dim::unknown();
  auto made = std::make_shared<Dim::Terms>();
  made->terms = *std::move(terms);
  return Dim::from_terms(std::move(made));
}

int64_t floor_quotient(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

// INT64_MIN / -1 is the one quotient that does not fit.
bool quotient_fits(int64_t a, int64_t b) { return !(a == INT64_MIN && b == -1); }

// Splits a into quotient * b + rest for a known b > 0, with coefficients of the rest in [0, b).
void split_by_number(const std::vector<DimTerm>& terms, int64_t b, std::vector<DimTerm>& quotient,
                     std::vector<DimTerm>& rest) {
  for (const DimTerm& term : terms) {
    const int64_t whole = floor_quotient(term.coefficient, b);
    const int64_t left = term.coefficient - whole * b;
    if (whole != 0) quotient.push_back({whole, term.factors});
    if (left != 0) rest.push_back({left, term.factors});
  }
}

// a / (n * g) where every coefficient but the constant's is a multiple of g: divides both by g.
Dim reduced_floor_div(std::vector<DimTerm> rest, int64_t b) {
  int64_t common = b;
  for (const DimTerm& term : rest) {
    if (!term.factors.empty()) common = std::gcd(common, term.coefficient);
  }
  for (DimTerm& term : rest) term.coefficient = floor_quotient(term.coefficient, common);
  std::erase_if(rest, [](const DimTerm& term) { return term.coefficient == 0; });
  const Dim numerator = from_vector(std::move(rest));
  const int64_t divisor = b / common;
  if (divisor == 1) return numerator;
  if (const DimRange range = range_of(numerator);
      range.low && range.high && *range.low >= 0 && *range.high < divisor) {
    return 0;
  }
  if (const DimAtom* atom = dim_terms::lone_atom(numerator);
      atom && atom->kind == DimAtom::Kind::kFloorDiv) {
    int64_t both = 0;
    const std::optional<int64_t> inner = atom->args[1].known();
    if (inner && *inner > 0 && !__builtin_mul_overflow(*inner, divisor, &both)) {
      return floor_div(atom->args[0], both);
    }
  }
  return of_function(DimAtom::Kind::kFloorDiv, numerator, divisor);
}

Dim extreme(const Dim& a, const Dim& b, bool larger) {
  if (a == b) return a;
  if (a.is_known() && b.is_known())
    return larger ? std::max(a.value(), b.value()) : std::min(a.value(), b.value());
  const DimRange difference = range_of(a - b);
  if (difference.low && *difference.low >= 0) return larger ? a : b;
  if (difference.high && *difference.high <= 0) return larger ? b : a;
  const bool swap = dim_terms::compare(a, b) > 0;
  return of_function(larger ? DimAtom::Kind::kMax : DimAtom::Kind::kMin, swap ? b : a,
                     swap ? a : b);
}

}  // namespace

Dim Dim::symbol(std::string name) {
  LAN_CHECK(!name.empty());
  return of_atom({DimAtom::Kind::kSymbol, std::move(name), 0, {}, 1});
}

Dim Dim::unknown() {
  static std::atomic<uint64_t> next{1};  // an identity, not a state: no result depends on its value
  return of_atom(
      {DimAtom::Kind::kUnknown, "", next.fetch_add(1, std::memory_order_relaxed), {}, 1});
}

Dim Dim::from_terms(std::shared_ptr<const Terms> terms) {
  if (terms->terms.empty()) return 0;
  if (terms->terms.size() == 1 && terms->terms[0].factors.empty())
    return terms->terms[0].coefficient;
  Dim dim;
  dim.terms_ = std::move(terms);
  if (dim.terms_->terms.size() > kMaxTerms || dim_terms::weight(dim) > kMaxWeight) return unknown();
  return dim;
}

int64_t Dim::value() const {
  LAN_CHECK(is_known());
  return value_;
}

bool operator==(const Dim& a, const Dim& b) { return compare(a, b) == 0; }

Dim operator+(const Dim& a, const Dim& b) {
  int64_t sum = 0;
  if (!a.terms_ && !b.terms_)
    return __builtin_add_overflow(a.value_, b.value_, &sum) ? Dim::unknown() : Dim(sum);
  return from_vector(add_scaled(dim_terms::terms_of(a), dim_terms::terms_of(b), 1));
}

Dim operator-(const Dim& a, const Dim& b) {
  int64_t difference = 0;
  if (!a.terms_ && !b.terms_) {
    return __builtin_sub_overflow(a.value_, b.value_, &difference) ? Dim::unknown()
                                                                   : Dim(difference);
  }
  return from_vector(add_scaled(dim_terms::terms_of(a), dim_terms::terms_of(b), -1));
}

Dim operator*(const Dim& a, const Dim& b) {
  int64_t known = 0;
  if (!a.terms_ && !b.terms_)
    return __builtin_mul_overflow(a.value_, b.value_, &known) ? Dim::unknown() : Dim(known);
  std::optional<std::vector<DimTerm>> sum = std::vector<DimTerm>{};
  const std::vector<DimTerm> b_terms = dim_terms::terms_of(b);
  for (const DimTerm& left : dim_terms::terms_of(a)) {
    for (const DimTerm& right : b_terms) {
      DimTerm term;
      if (__builtin_mul_overflow(left.coefficient, right.coefficient, &term.coefficient))
        return Dim::unknown();
      std::merge(left.factors.begin(), left.factors.end(), right.factors.begin(),
                 right.factors.end(), std::back_inserter(term.factors),
                 [](const auto& x, const auto& y) { return compare(*x, *y) < 0; });
      sum = add_scaled(*sum, {term}, 1);
      if (!sum || sum->size() > Dim::kMaxTerms) return Dim::unknown();
    }
  }
  return from_vector(std::move(sum));
}

std::optional<Dim> exact_div(const Dim& a, const Dim& b) {
  if (b.is(0)) return std::nullopt;
  const std::vector<DimTerm> divisor = dim_terms::terms_of(b);
  Dim rest = a, quotient = 0;
  // Long division by leading terms; canonical order need not respect products, so it may give up.
  for (size_t step = 0; step < Dim::kMaxTerms && !rest.is(0); ++step) {
    const std::vector<DimTerm> terms = dim_terms::terms_of(rest);
    const std::optional<Factors> factors = dim_terms::without(terms[0].factors, divisor[0].factors);
    if (!factors || !quotient_fits(terms[0].coefficient, divisor[0].coefficient) ||
        terms[0].coefficient % divisor[0].coefficient != 0) {
      return std::nullopt;
    }
    const Dim part = from_vector(
        std::vector<DimTerm>{{terms[0].coefficient / divisor[0].coefficient, *factors}});
    quotient = quotient + part;
    rest = rest - part * b;
  }
  return rest.is(0) ? std::optional(quotient) : std::nullopt;
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (b.is(0)) return Dim::unknown();
  if (a.is_known() && b.is_known()) {
    return quotient_fits(a.value(), b.value()) ? Dim(floor_quotient(a.value(), b.value()))
                                               : Dim::unknown();
  }
  if (b.is_known() && b.value() < 0) {
    return b.value() == INT64_MIN ? Dim::unknown() : floor_div(Dim(0) - a, -b.value());
  }
  if (const std::optional<Dim> exact = exact_div(a, b)) return *exact;
  if (b.is_known()) {
    std::vector<DimTerm> quotient, rest;
    split_by_number(a.terms()->terms, b.value(), quotient, rest);
    return from_vector(std::move(quotient)) + reduced_floor_div(std::move(rest), b.value());
  }
  if (const DimRange less = range_of(b - a), low = range_of(a);
      less.low && *less.low > 0 && low.low && *low.low >= 0) {
    return 0;
  }
  // floor((q * b + r) / b) = q + floor(r / b), for the terms that b divides.
  if (b.terms()->terms.size() == 1) {
    Dim quotient = 0, rest = 0;
    for (const DimTerm& term : dim_terms::terms_of(a)) {
      const Dim part = from_vector(std::vector<DimTerm>{term});
      const std::optional<Dim> exact = exact_div(part, b);
      if (exact) {
        quotient = quotient + *exact;
      } else {
        rest = rest + part;
      }
    }
    return rest.is(0) ? quotient : quotient + of_function(DimAtom::Kind::kFloorDiv, rest, b);
  }
  return of_function(DimAtom::Kind::kFloorDiv, a, b);
}

Dim ceil_div(const Dim& a, const Dim& b) {
  if (b.is_known() && b.value() > 0) return floor_div(a + (b.value() - 1), b);
  return Dim(0) - floor_div(Dim(0) - a, b);
}

Dim mod(const Dim& a, const Dim& b) {
  if (b.is(0)) return Dim::unknown();
  if (b.is(1) || b.is(-1)) return 0;
  if (a.is_known() && b.is_known())
    return a.value() - floor_quotient(a.value(), b.value()) * b.value();
  if (exact_div(a, b)) return 0;
  if (!b.is_known() || b.value() < 0) {
    const DimRange less = range_of(b - a), low = range_of(a);
    if (less.low && *less.low > 0 && low.low && *low.low >= 0) return a;
    return of_function(DimAtom::Kind::kMod, a, b);
  }
  std::vector<DimTerm> quotient, rest;
  split_by_number(a.terms()->terms, b.value(), quotient, rest);
  const Dim reduced = from_vector(std::move(rest));
  const DimRange range = range_of(reduced);
  if (range.low && range.high && *range.low >= 0 && *range.high < b.value()) return reduced;
  return of_function(DimAtom::Kind::kMod, reduced, b);
}

Dim max(const Dim& a, const Dim& b) { return extreme(a, b, true); }
Dim min(const Dim& a, const Dim& b) { return extreme(a, b, false); }

Dim product(std::span<const Dim> dims) {
  Dim all = 1;
  for (const Dim& dim : dims) all = all * dim;
  return all;
}

bool all_known(std::span<const Dim> dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_known(); });
}

}  // namespace lanthorn
