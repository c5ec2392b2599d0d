#include <algorithm>

#include "graph/graph.h"

namespace lanthorn {
namespace {

bool same_tensor(const Tensor& a, const Tensor& b) {
  return a.storage() == b.storage() && a.dtype() == b.dtype() && a.shape() == b.shape() &&
         a.strides() == b.strides() && a.offset_bytes() == b.offset_bytes();
}

bool same(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  if (const Tensor* tensor = std::get_if<Tensor>(&a))
    return same_tensor(*tensor, std::get<Tensor>(b));
  if (const auto* tensors = std::get_if<std::vector<Tensor>>(&a)) {
    const auto& others = std::get<std::vector<Tensor>>(b);
    return std::equal(tensors->begin(), tensors->end(), others.begin(), others.end(), same_tensor);
  }
  return std::visit(
      [&b](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, std::vector<Tensor>>) {
          return false;
        } else {
          return value == std::get<T>(b);
        }
      },
      a);
}

template <class T>
T value_or(const Attribute* attribute, T fallback) {
  const T* value = attribute ? std::get_if<T>(attribute) : nullptr;
  return value ? *value : std::move(fallback);
}

}  // namespace

void Attributes::set(std::string name, Attribute value) {
  for (Entry& entry : entries_) {
    if (entry.first == name) {
      entry.second = std::move(value);
      return;
    }
  }
  entries_.emplace_back(std::move(name), std::move(value));
}

void Attributes::remove(std::string_view name) {
  std::erase_if(entries_, [name](const Entry& entry) { return entry.first == name; });
}

const Attribute* Attributes::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

int64_t Attributes::integer(std::string_view name, int64_t fallback) const {
  return value_or(find(name), fallback);
}
float Attributes::real(std::string_view name, float fallback) const {
  return value_or(find(name), fallback);
}

std::string_view Attributes::text(std::string_view name, std::string_view fallback) const {
  const Attribute* attribute = find(name);
  const auto* value = attribute ? std::get_if<std::string>(attribute) : nullptr;
  return value ? std::string_view(*value) : fallback;
}

std::vector<int64_t> Attributes::ints(std::string_view name, std::vector<int64_t> fallback) const {
  return value_or(find(name), std::move(fallback));
}

std::vector<float> Attributes::reals(std::string_view name) const {
  return value_or(find(name), std::vector<float>{});
}

const Tensor* Attributes::tensor(std::string_view name) const {
  const Attribute* attribute = find(name);
  return attribute ? std::get_if<Tensor>(attribute) : nullptr;
}

const std::shared_ptr<Graph>* Attributes::graph(std::string_view name) const {
  const Attribute* attribute = find(name);
  return attribute ? std::get_if<std::shared_ptr<Graph>>(attribute) : nullptr;
}

bool Attributes::operator==(const Attributes& other) const {
  if (entries_.size() != other.entries_.size()) return false;
  return std::all_of(entries_.begin(), entries_.end(), [&other](const Entry& entry) {
    const Attribute* match = other.find(entry.first);
    return match && same(entry.second, *match);
  });
}

}  // namespace lanthorn
