#include "graph/dim_terms.h"

namespace lanthorn::dim_terms {
namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

int compare(const DimAtom& a, const DimAtom& b) {
  if (&a == &b) return 0;
  if (const int kind = order(a.kind, b.kind)) return kind;
  if (const int name = order(a.name, b.name)) return name;
  if (const int id = order(a.unknown_id, b.unknown_id)) return id;
  if (const int size = order(a.args.size(), b.args.size())) return size;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (const int arg = compare(a.args[i], b.args[i])) return arg;
  }
  return 0;
}

int compare(const std::vector<std::shared_ptr<const DimAtom>>& a,
            const std::vector<std::shared_ptr<const DimAtom>>& b) {
  if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    if (const int factor = compare(*a[i], *b[i])) return factor;
  }
  return 0;
}

int compare(const Dim& a, const Dim& b) {
  if (a.is_known() || b.is_known()) {
    if (a.is_known() && b.is_known()) return order(a.value(), b.value());
    return a.is_known() ? -1 : 1;
  }
  if (a.terms() == b.terms()) return 0;
  const std::vector<DimTerm>& left = a.terms()->terms;
  const std::vector<DimTerm>& right = b.terms()->terms;
  if (const int size = order(left.size(), right.size())) return size;
  for (size_t i = 0; i < left.size(); ++i) {
    if (const int factors = compare(left[i].factors, right[i].factors)) return factors;
    if (const int coefficient = order(left[i].coefficient, right[i].coefficient))
      return coefficient;
  }
  return 0;
}

std::vector<DimTerm> terms_of(const Dim& dim) {
  if (!dim.is_known()) return dim.terms()->terms;
  if (dim.is(0)) return {};
  return {{dim.value(), {}}};
}

uint32_t weight(const Dim& dim) {
  if (dim.is_known()) return 0;
  uint32_t sum = 0;
  for (const DimTerm& term : dim.terms()->terms) {
    for (const auto& factor : term.factors) {
      sum += factor->weight;
      if (sum > Dim::kMaxWeight) return sum;
    }
  }
  return sum;
}

const DimAtom* lone_atom(const Dim& dim) {
  if (dim.is_known()) return nullptr;
  const std::vector<DimTerm>& terms = dim.terms()->terms;
  if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1)
    return nullptr;
  return terms[0].factors[0].get();
}

std::optional<std::vector<std::shared_ptr<const DimAtom>>> without(
    const std::vector<std::shared_ptr<const DimAtom>>& all,
    const std::vector<std::shared_ptr<const DimAtom>>& part) {
  std::vector<std::shared_ptr<const DimAtom>> left;
  size_t taken = 0;
  for (const auto& factor : all) {
    if (taken < part.size() && compare(*factor, *part[taken]) == 0) {
      ++taken;
    } else {
      left.push_back(factor);
    }
  }
  if (taken < part.size()) return std::nullopt;
  return left;
}

}  // namespace lanthorn::dim_terms
