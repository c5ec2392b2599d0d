#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "graph/dim.h"

namespace lanthorn::dim_terms {

/// A total order of expressions: negative, 0 or positive.
int compare(const Dim& a, const Dim& b);
int compare(const DimAtom& a, const DimAtom& b);
/// Of products: more factors first, so that the constant term comes last.
int compare(const std::vector<std::shared_ptr<const DimAtom>>& a,
            const std::vector<std::shared_ptr<const DimAtom>>& b);

/// The terms of any dimension, a known number included; none for 0.
std::vector<DimTerm> terms_of(const Dim& dim);
/// How many atoms it has, those inside of functions too.
uint32_t weight(const Dim& dim);
/// The atom where the dimension is nothing else, or null.
const DimAtom* lone_atom(const Dim& dim);
/// The factors of `all` that are left without those of `part`; nothing if one is not there.
std::optional<std::vector<std::shared_ptr<const DimAtom>>> without(
    const std::vector<std::shared_ptr<const DimAtom>>& all,
    const std::vector<std::shared_ptr<const DimAtom>>& part);

}  // namespace lanthorn::dim_terms
