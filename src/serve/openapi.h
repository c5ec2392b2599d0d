#pragma once

#include <string>
#include <vector>

#include "serve/served_model.h"

namespace lanthorn {

/// The OpenAPI 3.1 document of a server with these models.
std::string openapi_document(const std::vector<ServedModel>& models);
/// A page that shows that document and sends requests; it needs nothing from outside.
std::string_view docs_page();

}  // namespace lanthorn
