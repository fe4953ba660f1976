// Shows the API's own document with Swagger UI, which is served from here like everything else.
{
  const room = document.getElementById("reference");
  window.SwaggerUIBundle({
    url: room.dataset.schema,
    domNode: room,
    deepLinking: true,
    persistAuthorization: false, // a key that was typed in goes with the page
    displayRequestDuration: true,
    validatorUrl: null,
  });
}
