// Dimensions as text, their symbols, and replacing these.
#include "graph/dim.h"
#include "graph/dim_terms.h"

namespace lanthorn {
namespace {

std::string_view function_name(DimAtom::Kind kind) {
  switch (kind) {
    case DimAtom::Kind::kFloorDiv:
      return "floor_div";
    case DimAtom::Kind::kMod:
      return "mod";
    case DimAtom::Kind::kMax:
      return "max";
    default:
      return "min";
  }
}

std::string atom_text(const DimAtom& atom) {
  if (atom.kind == DimAtom::Kind::kSymbol) return atom.name;
  if (atom.kind == DimAtom::Kind::kUnknown) return "?";
  return std::string(function_name(atom.kind)) + "(" + atom.args[0].text() + ", " +
         atom.args[1].text() + ")";
}

std::string term_text(const DimTerm& term, bool first) {
  const bool negative = term.coefficient < 0;
  std::string text = first ? (negative ? "-" : "") : (negative ? " - " : " + ");
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(term.coefficient)
                                      : static_cast<uint64_t>(term.coefficient);
  bool needs_star = false;
  if (magnitude != 1 || term.factors.empty()) {
    text += std::to_string(magnitude);
    needs_star = true;
  }
  for (const auto& factor : term.factors) {
    if (needs_star) text += "*";
    text += atom_text(*factor);
    needs_star = true;
  }
  return text;
}

using Lookup = std::function<std::optional<Dim>(const std::string&)>;

Dim substitute_atom(const std::shared_ptr<const DimAtom>& atom, const Lookup& lookup) {
  auto as_dim = [&atom] {
    auto terms = std::make_shared<Dim::Terms>();
    terms->terms.push_back({1, {atom}});
    return Dim::from_terms(std::move(terms));
  };
  if (atom->kind == DimAtom::Kind::kUnknown) return as_dim();
  if (atom->kind == DimAtom::Kind::kSymbol) {
    const std::optional<Dim> found = lookup(atom->name);
    return found ? *found : as_dim();
  }
  const Dim a = atom->args[0].substitute(lookup), b = atom->args[1].substitute(lookup);
  switch (atom->kind) {
    case DimAtom::Kind::kFloorDiv:
      return floor_div(a, b);
    case DimAtom::Kind::kMod:
      return mod(a, b);
    case DimAtom::Kind::kMax:
      return max(a, b);
    default:
      return min(a, b);
  }
}

void add_symbols(const Dim& dim, std::set<std::string>& names) {
  if (dim.is_known()) return;
  for (const DimTerm& term : dim.terms()->terms) {
    for (const auto& factor : term.factors) {
      if (factor->kind == DimAtom::Kind::kSymbol) names.insert(factor->name);
      for (const Dim& arg : factor->args) add_symbols(arg, names);
    }
  }
}

}  // namespace

std::string Dim::text() const {
  if (is_known()) return std::to_string(value_);
  std::string text;
  for (const DimTerm& term : terms_->terms) text += term_text(term, text.empty());
  return text;
}

std::string Dim::symbol_name() const {
  const DimAtom* atom = dim_terms::lone_atom(*this);
  return atom && atom->kind == DimAtom::Kind::kSymbol ? atom->name : "";
}

std::set<std::string> Dim::symbols() const {
  std::set<std::string> names;
  add_symbols(*this, names);
  return names;
}

Dim Dim::substitute(const Lookup& lookup) const {
  if (is_known()) return *this;
  Dim sum = 0;
  for (const DimTerm& term : terms_->terms) {
    Dim product = term.coefficient;
    for (const auto& factor : term.factors) product = product * substitute_atom(factor, lookup);
    sum = sum + product;
  }
  return sum;
}

std::string dims_text(std::span<const Dim> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + dims[i].text();
  return text + "]";
}

}  // namespace lanthorn
